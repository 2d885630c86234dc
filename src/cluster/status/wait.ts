import { KnestError } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { OUTAGE_ADVICE } from '../../host/api/outage.ts';
import { describePodProblem, podProblem } from '../../host/pods.ts';
import type { StepLog } from '../../report/log.ts';
import { formatDuration } from '../../values/duration.ts';
import { FirstSeen } from './first-seen.ts';
import { describeChain, newestEvents, unmetConditions } from './conditions.ts';
import { Consoles } from './console.ts';
import type { DeadEnd } from './dead-end.ts';
import { findDeadEnd, podsThatCount } from './find-dead-end.ts';
import { ProgressLog, progressOf } from './progress.ts';
import { type ClusterHandle } from '../identity/cluster-handle.ts';
import { withReason } from './refused-service.ts';
import { Waker } from './wake.ts';
import { watchCluster, type ClusterParts, type ClusterView } from './cluster-view.ts';

const DIAGNOSIS_MILLISECONDS = 10_000;
const TOLD_CONDITIONS = 12;
const TOLD_EVENTS = 3;

/** Of a Cluster that goes, whatever is awaited never comes. */
const DELETED: DeadEnd = {
  code: 'KNEST_INFRASTRUCTURE',
  problem: 'somebody deleted it meanwhile',
  evidence: [],
  next: 'find out what deleted it, for example another job or cleanup, and create it again',
};

/** What a cluster is followed for. */
export interface Goal extends ClusterParts {
  /** Whether the cluster is as far as it should be. */
  readonly isReached: (view: ClusterView) => boolean;
  /** What the cluster cannot do at a dead end: `start`, `be scaled` or `be upgraded`. */
  readonly verb: string;
  /** The time for the whole command, which a time-out tells. */
  readonly timeoutSeconds: number;
  /** What the command has logged of the cluster before, and logs from now on. */
  readonly said?: Map<string, string>;
}

/**
 * Waits until the cluster is as far as it should be, a line for each change. Throws the reason as soon as no waiting
 * can help (KNEST_IMAGE_PULL, KNEST_UNSCHEDULABLE, KNEST_BOOTSTRAP, KNEST_INFRASTRUCTURE,
 * KNEST_STORAGE_CLASS, KNEST_ADDRESS_POOL), also when somebody deletes the cluster (KNEST_INFRASTRUCTURE), and when the
 * time is up (KNEST_TIMEOUT) the chain of what is not as it should be.
 */
export async function follow(
  client: KubernetesClient,
  handle: ClusterHandle,
  goal: Goal,
  log: StepLog,
  signal: AbortSignal,
): Promise<void> {
  const ended = new AbortController();
  const progress = new ProgressLog((line) => log.line(line), goal.said);
  const consoles = new Consoles(client, AbortSignal.any([signal, ended.signal]));
  const waker = new Waker(client);
  let seen = new FirstSeen();
  let last: ClusterView | undefined;
  let wasThere = false;
  let isUnknown = false;
  const evaluate = (view: ClusterView): true | undefined => {
    last = view;
    progress.show(progressOf(view));
    progress.remind(() => describeChain(view).replace(/^Chain: /, ''));
    consoles.follow(view);
    waker.wake(view);
    // While the host is away, nothing that is known gets better, however long that takes.
    if (client.rest.outage.length > 0) {
      seen = new FirstSeen();
      return goal.isReached(view) || undefined;
    }
    wasThere ||= view.cluster !== undefined;
    const isGone = wasThere && !isUnknown && view.cluster === undefined;
    if (isGone || view.cluster?.metadata.deletionTimestamp !== undefined) throw new DeadEndFound(DELETED);
    const deadEnd = findDeadEnd(view, seen.age) ?? consoles.deadEnd(view);
    if (deadEnd !== undefined) throw new DeadEndFound(deadEnd);
    return goal.isReached(view) || undefined;
  };
  try {
    await watchCluster(client, handle, goal, evaluate, signal, ({ kind, reason }) => {
      isUnknown ||= kind === Kinds.cluster;
      log.line(`cannot watch: ${reason}`);
    });
  } catch (thrown) {
    throw await explained(client, handle, last, goal, thrown);
  } finally {
    ended.abort();
  }
}

class DeadEndFound extends Error {
  readonly deadEnd: DeadEnd;

  constructor(deadEnd: DeadEnd) {
    super(deadEnd.problem);
    this.deadEnd = deadEnd;
  }
}

/** The failure with what a person needs to understand it. */
async function explained(
  client: KubernetesClient,
  handle: ClusterHandle,
  view: ClusterView | undefined,
  { verb, timeoutSeconds }: Goal,
  thrown: unknown,
): Promise<unknown> {
  const timedOut = thrown instanceof KnestError && thrown.code === 'KNEST_TIMEOUT';
  if (view === undefined || !(timedOut || thrown instanceof DeadEndFound)) return thrown;
  const briefly = client.briefly(AbortSignal.timeout(DIAGNOSIS_MILLISECONDS));
  const events = await newestEvents(briefly, handle, view, TOLD_EVENTS).catch(() => []);
  const chain = describeChain(view);
  if (thrown instanceof DeadEndFound) {
    const { code, problem, evidence, next } = await withReason(briefly, thrown.deadEnd);
    return new KnestError({
      code,
      problem: `${handle.name} cannot ${verb}: ${problem}`,
      evidence: [...evidence, chain, ...events],
      next,
    });
  }
  // Causes first: a pod's problem before the conditions that wait for the pod.
  const pods = podsThatCount(view).flatMap((pod) => {
    const problem = podProblem(pod);
    return problem === undefined ? [] : [describePodProblem(pod, problem)];
  });
  const unmet = [...pods, ...unmetConditions(view, Date.now())];
  const { outage } = client.rest;
  return new KnestError({
    code: 'KNEST_TIMEOUT',
    problem: `${handle.name} is not ready after ${formatDuration(timeoutSeconds)}`,
    evidence: [...outage, chain, ...unmet.slice(0, TOLD_CONDITIONS), ...events],
    next:
      outage.length > 0
        ? OUTAGE_ADVICE
        : 'increase timeout if it was still progressing; otherwise fix the first condition above',
  });
}
