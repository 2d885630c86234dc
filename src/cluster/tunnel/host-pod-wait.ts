import { KnestError } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { conditionOf, type Deployment, type Pod } from '../../host/api/objects.ts';
import { namedTarget, watchTarget, watchUntil } from '../../host/api/watch.ts';
import { describePodProblem, isMissingImage, podProblem, type PodProblem } from '../../host/pods.ts';
import { formatDuration } from '../../values/duration.ts';
import { FirstSeen } from '../status/first-seen.ts';
import { isReady, type HostPod } from './host-pod.ts';

/** Seconds that a problem may last which the next try of the host could fix. */
const GRACE = 60;
/** Seconds for which the host may refuse the pod: a quota may be full for a moment. */
const REFUSAL_GRACE = 10;
/** Milliseconds that the wait lasts at most. */
const PATIENCE = 180_000;

/**
 * Waits until such a pod is ready. Throws its code when waiting does not help: an image cannot be pulled, the pod fits on
 * no node, or the host refuses it; and after 3 minutes, since other ways may be left.
 */
export async function waitForHostPod(
  client: KubernetesClient,
  target: HostPod,
  signal: AbortSignal,
  patience = PATIENCE,
): Promise<void> {
  const began = performance.now();
  const pods = watchTarget(Kinds.pod, target.pods);
  const deployments = namedTarget(Kinds.deployment, target.namespace, () => [target.name]);
  const seen = new FirstSeen();
  const refusalAdvice = `ask the administrator of the host to allow this pod, or ${target.alternative}`;
  await watchUntil(
    client,
    [pods, deployments],
    () => {
      const all = [...pods.objects.values()];
      if (all.some(isReady)) return true;
      const [deployment] = deployments.objects.values();
      const problem = problemOf(all, deployment);
      // By its kind: the text of a problem changes from one try of the host to the next.
      if (problem !== undefined && (problem.isFinal || seen.age(problem.kind) >= GRACE)) {
        const advice = {
          image: target.imageAdvice,
          unschedulable: ROOM_ADVICE,
          crashing: LOG_ADVICE,
          waiting: LOG_ADVICE,
        };
        throw notStarted(target, problem.line, advice[problem.kind]);
      }
      const refusal = refusalOf(deployment);
      if (refusal !== undefined && seen.age('refusal') >= REFUSAL_GRACE)
        throw notStarted(target, refusal, refusalAdvice);
      if (performance.now() - began >= patience)
        throw notStarted(target, describeWait(all, patience), `${LOG_ADVICE}, or ${target.alternative}`);
      return undefined;
    },
    signal,
  );
}

const ROOM_ADVICE = 'make room for the pod on the host';
const LOG_ADVICE = 'check the pod on the host (kubectl describe pod, kubectl logs)';

/** What keeps a pod from being ready. */
interface HostPodProblem {
  readonly kind: PodProblem['kind'];
  readonly line: string;
  /** Whether it will stay so. */
  readonly isFinal: boolean;
}

/** Why no pod is ready. One with another image than the Deployment has now is about to be replaced. */
function problemOf(pods: readonly Pod[], deployment: Deployment | undefined): HostPodProblem | undefined {
  const image = deployment?.spec?.template?.spec?.containers?.[0]?.image;
  for (const pod of pods) {
    const problem = podProblem(pod);
    if (problem === undefined || pod.metadata.deletionTimestamp !== undefined) continue;
    const own = pod.spec?.containers?.[0]?.image;
    if (image !== undefined && own !== undefined && own !== image) continue;
    const line = describePodProblem(pod, problem);
    const isFinal = problem.kind === 'image' && isMissingImage(problem);
    return { kind: problem.kind, line, isFinal };
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

function notStarted({ code, title }: HostPod, evidence: string, next: string): KnestError {
  return new KnestError({ code, problem: `${title} does not start on the host`, evidence: [evidence], next });
}
