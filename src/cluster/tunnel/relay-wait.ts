import { KnestError } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { conditionOf, type Deployment, type Pod } from '../../host/api/objects.ts';
import { namedTarget, watchTarget, watchUntil } from '../../host/api/watch.ts';
import { describePodProblem, podProblem } from '../../host/pods.ts';
import { isReady, relayName, relayPods } from './relay.ts';

/** Milliseconds that a problem may last which the next try of the host could fix. */
const GRACE = 60_000;
/** Milliseconds for which the host may refuse the pod: a quota may be full for a moment. */
const REFUSAL_GRACE = 10_000;

/**
 * Waits until a relay's pod is ready. Throws KNEST_API_ACCESS when waiting does not help: the image cannot be pulled, the
 * pod fits on no node, or the host refuses it.
 */
export async function waitForRelay(
  client: KubernetesClient,
  { name, namespace, uid }: { readonly name: string; readonly namespace: string; readonly uid: string },
  signal: AbortSignal,
): Promise<void> {
  const pods = watchTarget(Kinds.pod, relayPods(namespace, uid));
  const deployments = namedTarget(Kinds.deployment, namespace, () => [relayName(name)]);
  const since = new Map<string, number>();
  const lasts = (problem: string, milliseconds: number): boolean => {
    const began = since.get(problem) ?? performance.now();
    since.set(problem, began);
    return performance.now() - began >= milliseconds;
  };
  await watchUntil(
    client,
    [pods, deployments],
    () => {
      const all = [...pods.objects.values()];
      if (all.some(isReady)) return true;
      const problem = problemOf(all);
      if (problem !== undefined && lasts(problem.line, problem.isFinal ? 0 : GRACE))
        throw noRelay(problem.line, problem.next);
      const refusal = refusalOf([...deployments.objects.values()]);
      if (refusal !== undefined && lasts(refusal, REFUSAL_GRACE)) throw noRelay(refusal, REFUSAL_ADVICE);
      return undefined;
    },
    signal,
  );
}

const REFUSAL_ADVICE = 'ask the administrator of the host to allow this pod, or use another api-access';
const IMAGE_ADVICE = 'set relay-image to an image of haproxy that the host can pull';

/** Why no pod of the relay is ready, and whether it will stay so. */
function problemOf(
  pods: readonly Pod[],
): { readonly line: string; readonly isFinal: boolean; readonly next: string } | undefined {
  for (const pod of pods) {
    const problem = podProblem(pod);
    if (problem === undefined || pod.metadata.deletionTimestamp !== undefined) continue;
    const line = describePodProblem(pod, problem);
    const isFinal = problem.kind === 'image' && /not found|manifest unknown|does not exist/i.test(problem.message);
    const next =
      problem.kind === 'unschedulable'
        ? 'make room for a small pod on the host'
        : problem.kind === 'image'
          ? IMAGE_ADVICE
          : REFUSAL_ADVICE;
    return { line, isFinal, next };
  }
  return undefined;
}

/** Why the host creates no pod, such as a quota or Pod Security. */
function refusalOf([deployment]: readonly Deployment[]): string | undefined {
  const failure = conditionOf(deployment, 'ReplicaFailure');
  if (deployment === undefined || failure?.status !== 'True') return undefined;
  return `Deployment ${deployment.metadata.namespace ?? ''}/${deployment.metadata.name}: ${failure.message ?? failure.reason ?? ''}`;
}

function noRelay(evidence: string, next: string): KnestError {
  return new KnestError({
    code: 'KNEST_API_ACCESS',
    problem: 'the relay of the tunnel does not start on the host',
    evidence: [evidence],
    next,
  });
}
