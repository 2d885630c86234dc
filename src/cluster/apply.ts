import { KnestError } from '../errors.ts';
import { applyAll } from '../host/apply.ts';
import type { KubernetesClient } from '../host/client.ts';
import { Kinds } from '../host/kinds.ts';
import { ApiError, hasStatus } from '../host/rest.ts';
import type { StepLog } from '../report/log.ts';
import { claim, type ClusterIdentity } from './identity.ts';
import { waitUntilGone } from './removal.ts';
import type { RenderedCluster } from './template.ts';

/** The Cluster on the host: made now, or found and taken over. */
export interface ClaimedCluster {
  readonly created: boolean;
  readonly uid: string;
}

/**
 * Applies all that hangs on a claimed Cluster, owned by it, so that everything goes when it goes; and the Cluster
 * itself when it was there before. Throws what RestClient throws.
 */
export async function applyCluster(
  client: KubernetesClient,
  { cluster, others }: RenderedCluster,
  { created, uid }: ClaimedCluster,
  signal: AbortSignal,
): Promise<void> {
  const owner = { apiVersion: cluster.apiVersion, kind: cluster.kind, name: cluster.metadata.name, uid };
  const dependents = others.map((object) => ({
    ...object,
    metadata: { ...object.metadata, ownerReferences: [owner] },
  }));
  await applyAll(client, created ? dependents : [cluster, ...dependents], signal);
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

/**
 * Creates the Cluster, the first object of all, which only one of several jobs can do. Adopts a cluster of the same
 * owner, and waits one out that is still being deleted. Throws KNEST_OWNED_BY_OTHER for anybody else's.
 */
export async function claimCluster(
  client: KubernetesClient,
  { cluster }: RenderedCluster,
  identity: ClusterIdentity,
  log: StepLog,
  signal: AbortSignal,
): Promise<ClaimedCluster> {
  const { name, namespace } = identity;
  await ensureNamespace(client, namespace);
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
    // All of it: what is left of the old cluster has the names of what the new one is made of.
    await waitUntilGone(client, identity, existing.metadata.uid, (line) => log.line(line), signal);
  }
}
