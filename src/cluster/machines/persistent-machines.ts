import type { KubernetesObject } from '../../host/api/objects.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { PersistentInputs } from '../../inputs.ts';
import { engineOfTemplate } from '../engines/engines.ts';
import { addressPool } from './address-pool.ts';

/**
 * The objects of a cluster, its machines made persistent: each has an address from the cluster's own pool, a disk that
 * outlives its pod, and a VM that is started again whenever it ends. Nothing replaces a machine, since a new one would
 * have none of its data: health checks are left out.
 */
export function persist(
  objects: readonly KubernetesObject[],
  name: string,
  { machineAddresses, hostClusterCni }: PersistentInputs,
): readonly KubernetesObject[] {
  return [
    addressPool(name, machineAddresses),
    ...objects
      .filter(({ kind }) => kind !== Kinds.machineHealthCheck.kind)
      .map((object) => engineOfTemplate(object).persistence?.persist(object, name, hostClusterCni) ?? object),
  ];
}
