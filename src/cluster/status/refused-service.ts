import type { KubernetesClient } from '../../host/api/client.ts';
import { ApiError, hasStatus, isPolicy } from '../../host/api/api-error.ts';
import { firstLineOf } from '../../errors.ts';
import { engineOf } from '../engines/engines.ts';
import type { Ages, DeadEnd } from './dead-end.ts';
import type { ClusterView } from './cluster-view.ts';

/** Seconds in which a webhook that restarts may come back, or another cluster may make room in a quota. */
const SERVICE_GRACE = 60;

/** A Service of the API server that the provider cannot create, of a provider that does not say why. */
export function refusedServiceDeadEnd(
  { cluster, infrastructureCluster }: ClusterView,
  ages: Ages,
): DeadEnd | undefined {
  if (cluster === undefined || infrastructureCluster === undefined) return undefined;
  const refused = engineOf(cluster).refusedService?.(infrastructureCluster, cluster.metadata.name);
  if (refused === undefined || ages('service') < SERVICE_GRACE) return undefined;
  const { name, namespace = '' } = refused.metadata;
  return {
    code: 'KNEST_INFRASTRUCTURE',
    problem: `its provider cannot create Service ${namespace}/${name}, and does not report why`,
    evidence: [],
    next: `run kubectl create service clusterip ${name} --tcp=6443 --dry-run=server -n ${namespace} on the host as an administrator: a quota, a webhook or a policy may refuse it, or the provider lacks a permission`,
    refused,
  };
}

/** The dead end with the reason of the host, which is asked what it says to such an object. Never rejects. */
export async function withReason(client: KubernetesClient, deadEnd: DeadEnd): Promise<DeadEnd> {
  const { refused, evidence } = deadEnd;
  if (refused === undefined) return deadEnd;
  try {
    await client.dryRun(refused, { retries: 0 });
    const accepted = 'dry run: the host accepts it from the credentials of this job';
    return { ...deadEnd, evidence: [...evidence, accepted] };
  } catch (thrown) {
    const isOfAccount = hasStatus(thrown, 403) && !isPolicy({ status: 403, message: thrown.answer });
    if (!(thrown instanceof ApiError) || isOfAccount) {
      return { ...deadEnd, evidence: [...evidence, `dry run: ${firstLineOf(thrown)}`] };
    }
    const { kind, metadata } = refused;
    return {
      ...deadEnd,
      problem: `the host refuses ${kind} ${metadata.name}: ${thrown.answer.replace(/\s+/g, ' ').trim()}`,
      next: 'remove the cause of that answer, or use another namespace',
    };
  }
}
