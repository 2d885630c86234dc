import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Pod } from '../../host/api/objects.ts';
import { Annotations } from '../identity/identity.ts';

/**
 * Notes on a Cluster which pod its registry began as: any other one came without the images. One that is noted stays: the
 * permissions of later jobs may not be enough to change it.
 */
export async function noteFirstPod(client: KubernetesClient, { metadata }: Cluster, pod: Pod): Promise<void> {
  const { name, namespace = '', uid, annotations = {} } = metadata;
  if (annotations[Annotations.registryPod] !== undefined) return;
  await client.patch(Kinds.cluster, name, namespace, {
    metadata: { uid, annotations: { [Annotations.registryPod]: pod.metadata.uid ?? '' } },
  });
}

/** What a job has to know of a registry that restarted after its cluster was created; undefined if it did not. */
export function describeRestart({ metadata: { annotations = {} } }: Cluster, { metadata }: Pod): string | undefined {
  const first = annotations[Annotations.registryPod];
  if (first === undefined || first === metadata.uid) return undefined;
  const when = metadata.creationTimestamp ?? 'an unknown time';
  return `the registry restarted at ${when}: images that were pushed before are gone, push them again`;
}
