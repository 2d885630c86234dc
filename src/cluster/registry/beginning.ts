import { KnestError } from '../../errors.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Pod } from '../../host/api/objects.ts';
import { Annotations } from '../identity/identity.ts';
import { registryName } from './registry.ts';

/**
 * Saves on a Cluster the uid of the pod that has the images of its registry, and the address of its Service, by which the
 * nodes pull. The address stays as it was saved first.
 */
export async function noteBeginning(client: KubernetesClient, { metadata }: Cluster, pod: Pod): Promise<void> {
  const { name, namespace = '', uid, annotations = {} } = metadata;
  if (annotations[Annotations.registryPod] === pod.metadata.uid) return;
  const service = await client.get(Kinds.service, registryName(name), namespace);
  const noted = {
    [Annotations.registryPod]: pod.metadata.uid ?? '',
    [Annotations.registryAddress]: annotations[Annotations.registryAddress] ?? service?.spec?.clusterIP ?? '',
  };
  await client.patch(Kinds.cluster, name, namespace, { metadata: { uid, annotations: noted } });
}

/** What a job has to know of a registry that restarted since its pod was saved; undefined if it did not. */
export function describeRestart({ metadata: { annotations = {} } }: Cluster, { metadata }: Pod): string | undefined {
  const first = annotations[Annotations.registryPod];
  if (first === undefined || first === metadata.uid) return undefined;
  const when = metadata.creationTimestamp ?? 'an unknown time';
  return `the registry restarted at ${when}: images that were pushed before are gone, push them again`;
}

/** Throws KNEST_REGISTRY when the registry is no longer at the address that the nodes of its cluster have. */
export async function checkAddress(client: KubernetesClient, { metadata }: Cluster): Promise<void> {
  const { name, namespace = '', annotations = {} } = metadata;
  const known = annotations[Annotations.registryAddress] ?? '';
  if (known === '') return;
  const service = await client.get(Kinds.service, registryName(name), namespace);
  const { clusterIP } = service?.spec ?? {};
  if (clusterIP === known) return;
  throw new KnestError({
    code: 'KNEST_REGISTRY',
    problem: `the nodes of ${name} cannot pull: they look for the registry at ${known}`,
    evidence: [
      `Service ${namespace}/${registryName(name)} ${clusterIP === undefined ? 'is missing' : `has ${clusterIP}`}`,
    ],
    next: 'delete the cluster (command: delete) and create it again',
  });
}
