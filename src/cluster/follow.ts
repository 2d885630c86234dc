import { KnestError } from '../errors.ts';
import type { KubernetesClient } from '../host/client.ts';
import { conditionOf } from '../host/objects.ts';
import type { CreateInputs, WaitFor } from '../inputs.ts';
import type { StepLog } from '../report/log.ts';
import { formatDuration } from '../values/duration.ts';
import { describeChain, newestEvents, unmetConditions } from './chain.ts';
import { Consoles } from './console.ts';
import { findDeadEnd, type DeadEnd } from './deadend.ts';
import { ProgressLog, progressOf } from './progress.ts';
import { watchCluster, type ClusterHandle, type ClusterView } from './view.ts';

const DIAGNOSIS_MILLISECONDS = 10_000;
const TOLD_CONDITIONS = 12;
const TOLD_EVENTS = 3;

/**
 * Waits until the cluster is as far as `wait-for` asks, a line for each change. Throws the reason as soon as no
 * waiting can help (KNEST_IMAGE_PULL, KNEST_UNSCHEDULABLE, KNEST_BOOTSTRAP, KNEST_INFRASTRUCTURE), and when the time
 * is up (KNEST_TIMEOUT) the chain of what is not as it should be.
 */
export async function follow(
  client: KubernetesClient,
  handle: ClusterHandle,
  inputs: CreateInputs,
  log: StepLog,
  signal: AbortSignal,
): Promise<void> {
  const ended = new AbortController();
  const progress = new ProgressLog((line) => log.line(line));
  const consoles = new Consoles(client, AbortSignal.any([signal, ended.signal]));
  const ages = new Ages();
  let last: ClusterView | undefined;
  const evaluate = (view: ClusterView): true | undefined => {
    last = view;
    progress.show(progressOf(view));
    consoles.follow(view);
    const deadEnd = findDeadEnd(view, ages.of) ?? consoles.deadEnd(view);
    if (deadEnd !== undefined) throw new DeadEndFound(deadEnd);
    return isReady(view, inputs.waitFor, inputs.controlPlane.count + inputs.workers.count) || undefined;
  };
  try {
    await watchCluster(client, handle, inputs.infrastructure, evaluate, signal, (reason) =>
      log.line(`not watched: ${reason}`),
    );
  } catch (thrown) {
    throw await explained(client, handle, last, inputs.timeoutSeconds, thrown);
  } finally {
    ended.abort();
  }
}

/** Whether a cluster is as far as asked. `machines`: how many it is to have. */
export function isReady(view: ClusterView, waitFor: WaitFor, machines: number): boolean {
  if (waitFor === 'none') return true;
  if (conditionOf(view.cluster, 'ControlPlaneInitialized')?.status !== 'True') return false;
  const joined = view.machines.filter(({ status }) => status?.nodeRef !== undefined).length;
  // Joined, not Ready: a node is Ready once it has a CNI, and that is for the steps that follow to choose.
  return waitFor === 'control-plane' || joined >= machines;
}

class DeadEndFound extends Error {
  readonly deadEnd: DeadEnd;

  constructor(deadEnd: DeadEnd) {
    super(deadEnd.problem);
    this.deadEnd = deadEnd;
  }
}

/** When each thing was first seen to be wrong, by our own clock. */
class Ages {
  readonly #since = new Map<string, number>();

  readonly of = (key: string): number => {
    const now = performance.now();
    const since = this.#since.get(key) ?? now;
    this.#since.set(key, since);
    return (now - since) / 1000;
  };
}

/** The failure with what a person needs to understand it. */
async function explained(
  client: KubernetesClient,
  handle: ClusterHandle,
  view: ClusterView | undefined,
  timeoutSeconds: number,
  thrown: unknown,
): Promise<unknown> {
  const timedOut = thrown instanceof KnestError && thrown.code === 'KNEST_TIMEOUT';
  if (view === undefined || !(timedOut || thrown instanceof DeadEndFound)) return thrown;
  const briefly = client.until(AbortSignal.timeout(DIAGNOSIS_MILLISECONDS));
  const events = await newestEvents(briefly, handle, view, TOLD_EVENTS).catch(() => []);
  const chain = describeChain(view);
  if (thrown instanceof DeadEndFound) {
    const { code, problem, evidence, next } = thrown.deadEnd;
    return new KnestError({
      code,
      problem: `${handle.name} cannot start: ${problem}`,
      evidence: [...evidence, chain, ...events],
      next,
    });
  }
  const unmet = unmetConditions(view, Date.now());
  return new KnestError({
    code: 'KNEST_TIMEOUT',
    problem: `${handle.name} is not ready after ${formatDuration(timeoutSeconds)}`,
    evidence: [chain, ...unmet.slice(0, TOLD_CONDITIONS), ...events],
    next: 'raise timeout if it was on its way; else mend the first condition above',
  });
}
