import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Pod } from '../../host/api/objects.ts';
import { pause } from '../../retry.ts';
import { servingPod, type HostPod } from './host-pod.ts';
import { LOOK_EVERY, LOOK_MILLISECONDS } from './lifetime.ts';

/** What is heard of such a pod. */
interface PodEvents {
  /** Hears the pod that serves now. */
  readonly onPod: (pod: Pod) => void;
  /** Hears once of each pod that the host ended, such as one whose files took too much room. */
  readonly onProblem: (problem: string) => void;
}

/** Looks at the pods of a relay or registry now and then, until the signal aborts. Ignores a host that does not answer. */
export async function watchHostPod(
  client: KubernetesClient,
  { namespace, pods, title }: HostPod,
  { onPod, onProblem }: PodEvents,
  signal: AbortSignal,
  every = LOOK_EVERY,
): Promise<void> {
  const ended = new Set<string>();
  while (!signal.aborted) {
    const within = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MILLISECONDS)]);
    const found = await client
      .briefly(within)
      .list(Kinds.pod, pods)
      .catch(() => []);
    for (const { metadata, status } of found) {
      const { uid = '', name } = metadata;
      if (status?.phase !== 'Failed' || ended.has(uid)) continue;
      ended.add(uid);
      const { reason = 'Failed', message = '' } = status;
      onProblem(`the host ended pod ${namespace}/${name} of ${title}: ${[reason, message].filter(Boolean).join(': ')}`);
    }
    const serving = servingPod(found);
    if (serving !== undefined) onPod(serving);
    await pause(every, signal).catch(() => undefined);
  }
}
