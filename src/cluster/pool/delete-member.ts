import { firstLineOf } from '../../errors.ts';
import { preconditionsOf, type KubernetesClient } from '../../host/api/client.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import { writeGuarded } from '../../host/api/conflict.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { StepLog } from '../../report/log.ts';
import { fleetCluster } from '../identity/fleet-cluster.ts';
import { tieDisks } from '../lifecycle/disks.ts';

/**
 * Asks for the deletion of a Cluster that was or is a member of a pool, and does not wait for its end. `isOurs` is asked of
 * it as it is at that moment: a job may have claimed it. Resolves whether the deletion was requested.
 */
export async function deleteMember(
  client: KubernetesClient,
  cluster: Cluster,
  isOurs: (current: Cluster) => boolean,
  log: StepLog,
): Promise<boolean> {
  const { name, namespace = '' } = cluster.metadata;
  const requested = await writeGuarded(client, Kinds.cluster, cluster, async (current) => {
    if (!isOurs(current) || current.metadata.deletionTimestamp !== undefined) return false;
    // First, since the disks of a deleted cluster can no longer be found.
    await tieDisks(client, namespace, [fleetCluster(current)], log).catch((thrown: unknown) => {
      log.line(`disks of ${name} may remain: ${firstLineOf(thrown)}`);
    });
    return client.delete(Kinds.cluster, name, namespace, preconditionsOf(current));
  });
  return requested === true;
}
