import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import { fleetCluster, type FleetCluster } from '../identity/fleet-cluster.ts';
import { repositoryLabels, type RepositoryIdentity } from '../identity/identity.ts';

/** What each of the clusters that `readClusters` finds records about itself. Throws as that does. */
export async function listClusters(...where: Parameters<typeof readClusters>): Promise<readonly FleetCluster[]> {
  return (await readClusters(...where)).map(fleetCluster);
}

/**
 * The nested clusters of a namespace, or of all when it is undefined; those of one repository alone, unless it
 * is undefined. By namespace and name. Throws ApiError 403 when these credentials may not list them there.
 */
export async function readClusters(
  client: KubernetesClient,
  namespace: string | undefined,
  repository: RepositoryIdentity | undefined,
): Promise<readonly Cluster[]> {
  const owner = repository === undefined ? [] : Object.entries(repositoryLabels(repository));
  const clusters = await client.list(Kinds.cluster, {
    ...(namespace !== undefined && { namespace }),
    ...(owner.length > 0 && { labelSelector: owner.map(([label, value]) => `${label}=${value}`).join(',') }),
  });
  const place = ({ metadata: { namespace = '', name } }: Cluster): string => `${namespace}/${name}`;
  return clusters.toSorted((one, other) => place(one).localeCompare(place(other)));
}
