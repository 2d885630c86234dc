import { KnestError } from '../../errors.ts';
import { unlessForbidden } from '../../host/api/api-error.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Pod } from '../../host/api/objects.ts';
import { belongingTo } from '../identity/cluster-handle.ts';
import { isOwnPod } from '../identity/identity.ts';
import { findExceededQuota, findLackOfRoom, isEnded } from '../machines/room.ts';
import { isControlPlane } from '../status/cluster-view.ts';
import type { UpgradePlan } from './plan.ts';

const SHOWN = 6;

/**
 * Throws KNEST_UNSCHEDULABLE when the host has no room for one more machine, which a new one needs beside the old one that
 * it replaces, as far as these credentials may look. Returns what they may not, for the log.
 */
export async function checkRoom(client: KubernetesClient, plan: UpgradePlan): Promise<string | undefined> {
  const { name, namespace = '' } = plan.cluster.metadata;
  // Once it has begun, the new machine may be there already: the wait names one that fits on no node.
  if (plan.engine.virtualMachines === undefined || plan.isUnderWay) return undefined;
  const [pods, quotas, nodes, all] = await Promise.all([
    unlessForbidden(client.list(Kinds.pod, belongingTo({ name, namespace })), []),
    unlessForbidden(client.list(Kinds.resourceQuota, { namespace }), []),
    unlessForbidden(client.list(Kinds.node), []),
    unlessForbidden(client.list(Kinds.pod), undefined),
  ]);
  // The relay of the tunnel has the labels of its cluster too, and a pod that ended may be of another size.
  const machines = pods.filter((pod) => !isOwnPod(pod.metadata) && !isEnded(pod));
  const samples = [machines.find(isControlPlane), machines.find((pod) => !isControlPlane(pod))];
  for (const pod of samples.filter((one): one is Pod => one !== undefined)) {
    const role = isControlPlane(pod) ? 'control-plane' : 'worker';
    const quota = findExceededQuota(pod, quotas);
    if (quota !== undefined)
      throw noRoom(name, `namespace ${namespace} has no quota left for one more ${role} machine`, [quota]);
    const lacks = all === undefined || nodes.length === 0 ? undefined : findLackOfRoom(pod, nodes, all);
    if (lacks !== undefined) throw noRoom(name, `no node of the host has room for one more ${role} machine`, lacks);
  }
  return all === undefined || nodes.length === 0
    ? 'cannot list the pods of the host; assuming that it has room for one more machine'
    : undefined;
}

function noRoom(name: string, reason: string, evidence: readonly string[]): KnestError {
  return new KnestError({
    code: 'KNEST_UNSCHEDULABLE',
    problem: `${name} cannot be upgraded: ${reason}`,
    evidence: evidence.slice(0, SHOWN),
    next: 'make room on the host, or scale the cluster down first',
  });
}
