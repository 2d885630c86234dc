import { KnestError } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import { overlaps, parseCidr, singleAddress } from '../../values/cidr.ts';
import { registryName } from './registry.ts';

/** The inputs for the ranges of a cluster, by their names in its Cluster. */
const INPUTS = { pods: 'pod-network-cidr', services: 'service-cidr' } as const;

/** What a template that leaves a range out gets. Source: k8s.io/kubernetes cmd/kubeadm/app/apis/kubeadm/v1beta4/defaults.go. */
const DEFAULTS = { pods: [], services: ['10.96.0.0/12'] } as const;

/**
 * The address at which nodes reach the registry: that of its Service. Throws KNEST_INPUT when a range of the nested
 * cluster has it, since nodes would look for it there, and KNEST_REGISTRY when the Service has none.
 */
export async function registryAddress(client: KubernetesClient, cluster: Cluster): Promise<string> {
  const { name, namespace = '' } = cluster.metadata;
  const service = await client.get(Kinds.service, registryName(name), namespace);
  const { clusterIP = '' } = service?.spec ?? {};
  const address = singleAddress(clusterIP);
  const title = `Service ${namespace}/${registryName(name)}`;
  if (address === undefined)
    throw new KnestError({ code: 'KNEST_REGISTRY', problem: `${title} has no address`, evidence: [clusterIP] });
  for (const of of ['pods', 'services'] as const) {
    for (const text of cluster.spec?.clusterNetwork?.[of]?.cidrBlocks ?? DEFAULTS[of]) {
      const range = parseCidr(text);
      if ('problem' in range || !overlaps(range, address)) continue;
      throw new KnestError({
        code: 'KNEST_INPUT',
        problem: `${INPUTS[of]}: ${text} has the address of the registry on the host, ${clusterIP}`,
        evidence: [`${title} has the address ${clusterIP}; nodes would look for it in the nested cluster`],
        next: `set ${INPUTS[of]} to a range that the host does not use for its Services`,
      });
    }
  }
  return clusterIP;
}
