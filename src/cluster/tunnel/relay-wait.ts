import { KnestError } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { conditionOf, type Deployment, type Pod } from '../../host/api/objects.ts';
import { namedTarget, watchTarget, watchUntil } from '../../host/api/watch.ts';
import { describePodProblem, isMissingImage, podProblem, type PodProblem } from '../../host/pods.ts';
import { formatDuration } from '../../values/duration.ts';
import { FirstSeen } from '../status/first-seen.ts';
import { isReady, relayName, relayPods } from './relay.ts';

/** Seconds that a problem may last which the next try of the host could fix. */
const GRACE = 60;
/** Seconds for which the host may refuse the pod: a quota may be full for a moment. */
const REFUSAL_GRACE = 10;
/** Milliseconds that the wait lasts at most. */
const PATIENCE = 180_000;

/**
 * Waits until a relay's pod is ready. Throws KNEST_API_ACCESS when waiting does not help: the image cannot be pulled, the
 * pod fits on no node, or the host refuses it; and after 3 minutes, since other ways may be left.
 */
export async function waitForRelay(
  client: KubernetesClient,
  { name, namespace, uid }: { readonly name: string; readonly namespace: string; readonly uid: string },
  signal: AbortSignal,
  patience = PATIENCE,
): Promise<void> {
  const began = performance.now();
  const pods = watchTarget(Kinds.pod, relayPods(namespace, uid));
  const deployments = namedTarget(Kinds.deployment, namespace, () => [relayName(name)]);
  const seen = new FirstSeen();
  await watchUntil(
    client,
    [pods, deployments],
    () => {
      const all = [...pods.objects.values()];
      if (all.some(isReady)) return true;
      const [deployment] = deployments.objects.values();
      const problem = problemOf(all, deployment);
      // By its kind: the text of a problem changes from one try of the host to the next.
      if (problem !== undefined && (problem.isFinal || seen.age(problem.kind) >= GRACE))
        throw noRelay(problem.line, problem.next);
      const refusal = refusalOf(deployment);
      if (refusal !== undefined && seen.age('refusal') >= REFUSAL_GRACE) throw noRelay(refusal, REFUSAL_ADVICE);
      if (performance.now() - began >= patience) throw noRelay(describeWait(all, patience), LATE_ADVICE);
      return undefined;
    },
    signal,
  );
}

const REFUSAL_ADVICE = 'ask the administrator of the host to allow this pod, or use another api-access';
const LATE_ADVICE = 'check the pod of the relay on the host (kubectl describe pod), or use another api-access';
const IMAGE_ADVICE = 'set relay-image to an image of haproxy that the host can pull';

/** What keeps the pod of a relay from being ready. */
interface RelayProblem {
  readonly kind: PodProblem['kind'];
  readonly line: string;
  /** Whether it will stay so. */
  readonly isFinal: boolean;
  readonly next: string;
}

/** Why no pod of the relay is ready. One with another image than the Deployment has now is about to be replaced. */
function problemOf(pods: readonly Pod[], deployment: Deployment | undefined): RelayProblem | undefined {
  const image = deployment?.spec?.template?.spec?.containers?.[0]?.image;
  for (const pod of pods) {
    const problem = podProblem(pod);
    if (problem === undefined || pod.metadata.deletionTimestamp !== undefined) continue;
    const own = pod.spec?.containers?.[0]?.image;
    if (image !== undefined && own !== undefined && own !== image) continue;
    const line = describePodProblem(pod, problem);
    const isFinal = problem.kind === 'image' && isMissingImage(problem);
    const next =
      problem.kind === 'unschedulable'
        ? 'make room for a small pod on the host'
        : problem.kind === 'image'
          ? IMAGE_ADVICE
          : REFUSAL_ADVICE;
    return { kind: problem.kind, line, isFinal, next };
  }
  return undefined;
}

/** What the pods were doing when the wait ended. */
function describeWait(pods: readonly Pod[], patience: number): string {
  const states = pods.map((pod) => {
    const { metadata, status } = pod;
    const problem = podProblem(pod);
    return problem === undefined
      ? `Pod ${metadata.namespace ?? ''}/${metadata.name}: ${status?.phase ?? 'Unknown'}, not ready`
      : `${describePodProblem(pod, problem)} (${status?.phase ?? 'Unknown'})`;
  });
  return `after ${formatDuration(patience / 1000)}: ${states.length === 0 ? 'there is no pod' : states.join('; ')}`;
}

/** Why the host creates no pod, such as a quota or Pod Security. */
function refusalOf(deployment: Deployment | undefined): string | undefined {
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
