import { KnestError } from '../errors.ts';
import { applyAll } from '../host/apply.ts';
import type { KubernetesClient } from '../host/client.ts';
import { Kinds } from '../host/kinds.ts';
import type { Cluster, KubernetesObject } from '../host/objects.ts';
import { ApiError, hasStatus } from '../host/rest.ts';
import { watchTarget, watchUntil } from '../host/watch.ts';
import type { StepLog } from '../report/log.ts';
import { claim, type ClusterIdentity } from './identity.ts';
import type { RenderedCluster } from './template.ts';

/** What became of the Cluster: made now, or found and taken over. */
export interface AppliedCluster {
  readonly created: boolean;
  readonly uid: string;
  readonly objects: number;
}

/**
 * Puts the cluster on the host: first the Cluster, which only one of several jobs can create, then all that hangs on
 * it, owned by it, so that everything goes when it goes. Adopts a cluster of the same owner, and waits one out that is
 * still being deleted. Throws KNEST_OWNED_BY_OTHER for anybody else's.
 */
export async function applyCluster(
  client: KubernetesClient,
  { cluster, others }: RenderedCluster,
  identity: ClusterIdentity,
  log: StepLog,
  signal: AbortSignal,
): Promise<AppliedCluster> {
  await ensureNamespace(client, identity.namespace);
  const { created, uid } = await claimCluster(client, cluster, identity, log, signal);
  const owner = { apiVersion: cluster.apiVersion, kind: cluster.kind, name: identity.name, uid };
  const dependents = others.map((object) => ({
    ...object,
    metadata: { ...object.metadata, ownerReferences: [owner] },
  }));
  await applyAll(client, created ? dependents : [cluster, ...dependents], signal);
  return { created, uid, objects: others.length + 1 };
}

async function ensureNamespace(client: KubernetesClient, name: string): Promise<void> {
  try {
    if ((await client.get(Kinds.namespace, name)) !== undefined) return;
  } catch (thrown) {
    // Who may not look at namespaces works in one that an administrator made.
    if (thrown instanceof ApiError && thrown.status === 403) return;
    throw thrown;
  }
  try {
    await client.create(Kinds.namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  } catch (thrown) {
    if (!hasStatus(thrown, 409)) throw thrown;
  }
}

async function claimCluster(
  client: KubernetesClient,
  cluster: KubernetesObject,
  identity: ClusterIdentity,
  log: StepLog,
  signal: AbortSignal,
): Promise<{ readonly created: boolean; readonly uid: string }> {
  const { name, namespace } = identity;
  for (;;) {
    try {
      const made = await client.create(Kinds.cluster, cluster);
      return { created: true, uid: made.metadata.uid ?? '' };
    } catch (thrown) {
      if (!hasStatus(thrown, 409)) throw thrown;
    }
    const existing = await client.get(Kinds.cluster, name, namespace);
    if (existing === undefined) continue; // gone meanwhile
    const answer = claim(existing.metadata, identity);
    if (answer === 'ours') {
      log.line(`Cluster ${namespace}/${name} is there already and is this job's: adopted`);
      return { created: false, uid: existing.metadata.uid ?? '' };
    }
    if (answer !== 'deleting') {
      throw new KnestError({
        code: 'KNEST_OWNED_BY_OTHER',
        problem: `there is a cluster ${namespace}/${name} already, and ${answer.refused}`,
        next: 'choose another name, or delete that cluster first',
      });
    }
    log.line(`Cluster ${namespace}/${name} is still being deleted: waiting for its end`);
    await waitForEnd(client, existing, signal);
  }
}

async function waitForEnd(client: KubernetesClient, cluster: Cluster, signal: AbortSignal): Promise<void> {
  const { name, namespace = '', uid } = cluster.metadata;
  const target = watchTarget(Kinds.cluster, { namespace, fieldSelector: `metadata.name=${name}` });
  const isGone = (): boolean => ![...target.objects.values()].some(({ metadata }) => metadata.uid === uid);
  await watchUntil(client, [target], () => isGone() || undefined, signal);
}
