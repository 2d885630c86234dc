import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Service } from '../../host/api/objects.ts';
import { engineOf } from '../engines/engines.ts';
import type { ClusterHandle } from '../identity/cluster-handle.ts';

/**
 * The Service before a cluster's API servers, found by what the Cluster refers to: it has the name that the engine gives
 * it, after the cluster's infrastructure, or the address of its endpoint. Undefined when the host has none.
 */
export async function findService(
  client: KubernetesClient,
  { name, namespace }: ClusterHandle,
): Promise<Service | undefined> {
  const cluster = await client.get(Kinds.cluster, name, namespace);
  const infrastructure = cluster?.spec?.infrastructureRef?.name ?? name;
  // Where the engine creates none, another user may have put one there.
  const [suffix = ''] = engineOf(cluster).services;
  const named = await client.get(Kinds.service, `${infrastructure}${suffix}`, namespace);
  const endpoint = cluster?.spec?.controlPlaneEndpoint?.host;
  if (named !== undefined || endpoint === undefined || endpoint === '') return named;
  // Without the permission to list Services, the routes through one are not tried.
  const services = await client.list(Kinds.service, { namespace }).catch(() => []);
  return services.find((service) => addressesOf(service).includes(endpoint));
}

function addressesOf({ spec, status }: Service): readonly string[] {
  const ingress = status?.loadBalancer?.ingress ?? [];
  return [spec?.clusterIP, ...ingress.flatMap(({ ip, hostname }) => [ip, hostname])].filter(
    (address) => address !== undefined,
  );
}
