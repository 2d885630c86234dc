import { randomUUID } from 'node:crypto';
import { KnestError } from '../errors.ts';
import { applyAll } from '../host/apply.ts';
import type { KubernetesClient } from '../host/client.ts';
import { isConflict } from '../host/conflict.ts';
import { Kinds } from '../host/kinds.ts';
import type { Cluster, KubernetesObject, Metadata } from '../host/objects.ts';
import { ApiError } from '../host/rest.ts';
import { retry } from '../host/retry.ts';
import type { StepLog } from '../report/log.ts';
import { Annotations, claim, Labels, type ClusterIdentity } from './identity.ts';
import { describeRest, waitUntilGone } from './removal.ts';
import type { RenderedCluster } from './template.ts';

/** The Cluster on the host: made now, or found and taken over. */
export interface ClaimedCluster {
  readonly created: boolean;
  readonly uid: string;
}

/**
 * Applies all that hangs on a claimed Cluster, owned by it, so that everything goes when it goes. Throws what
 * RestClient throws.
 */
export async function applyCluster(
  client: KubernetesClient,
  { cluster, others }: RenderedCluster,
  { uid }: ClaimedCluster,
  signal: AbortSignal,
): Promise<void> {
  const { apiVersion, kind } = Kinds.cluster; // whatever version the template has
  const owner = { apiVersion, kind, name: cluster.metadata.name, uid };
  const dependents = others.map((object) => ({
    ...object,
    metadata: { ...object.metadata, ownerReferences: [owner] },
  }));
  await applyAll(client, dependents, signal);
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
    if (!isConflict(thrown)) throw thrown;
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
  const token = randomUUID();
  const annotations = { ...cluster.metadata.annotations, [Annotations.claim]: token };
  const claimed = { ...cluster, metadata: { ...cluster.metadata, annotations } };
  const tryOnce = async (): Promise<ClaimedCluster> => {
    let conflict: unknown;
    try {
      const made = await client.create({ ...Kinds.cluster, apiVersion: cluster.apiVersion }, claimed);
      return { created: true, uid: made.metadata.uid ?? '' };
    } catch (thrown) {
      if (!isConflict(thrown)) throw thrown;
      conflict = thrown;
    }
    const existing = await client.get(Kinds.cluster, name, namespace);
    if (existing === undefined) throw conflict; // gone meanwhile
    const answer = claim(existing.metadata, identity);
    if (answer === 'ours') {
      // The answer to our own request was lost, and the same request made again.
      if (existing.metadata.annotations?.[Annotations.claim] === token) {
        return { created: true, uid: existing.metadata.uid ?? '' };
      }
      if (await adopt(client, cluster, existing, identity)) return { created: false, uid: existing.metadata.uid ?? '' };
      throw conflict;
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
    const unverified = await waitUntilGone(client, identity, existing.metadata.uid, (line) => log.line(line), signal);
    if (unverified.length > 0) log.line(describeRest(name, { unverified }));
    throw conflict;
  };
  return retry(tryOnce, { signal, isRetried: isConflict });
}

/**
 * Takes over a Cluster that is there: its owner, its expiry and what else the template says become ours with the first
 * write, so that a clean-up that looks from now on leaves it alone. Resolves whether it is ours now: a deletion, or
 * another Cluster in its place, may have been faster.
 */
async function adopt(
  client: KubernetesClient,
  cluster: KubernetesObject,
  { metadata: { uid = '' } }: Cluster,
  identity: ClusterIdentity,
): Promise<boolean> {
  const { name, namespace } = identity;
  try {
    // Server-side apply would make a new Cluster of what is gone, unless it is told which one is meant.
    const { metadata } = await client.apply({ ...cluster, metadata: { ...cluster.metadata, uid } });
    if (metadata.deletionTimestamp !== undefined) return false;
    const stale = staleOwnership(metadata, identity);
    if (stale !== undefined) await client.patch(Kinds.cluster, name, namespace, { metadata: { uid, ...stale } });
    return true;
  } catch (thrown) {
    if (isConflict(thrown)) return false;
    throw thrown;
  }
}

/**
 * What an earlier owner said of the cluster and this one does not, as a merge patch that takes it back: an expiry that
 * stayed would have it deleted. Apply does not remove it, since the Cluster was made by a plain create.
 */
function staleOwnership(metadata: Metadata, identity: ClusterIdentity): object | undefined {
  const expires = metadata.annotations?.[Annotations.expiresAt] !== identity.annotations[Annotations.expiresAt];
  const pullRequest = metadata.labels?.[Labels.pullRequest] !== identity.owner[Labels.pullRequest];
  if (!expires && !pullRequest) return undefined;
  return {
    ...(expires && { annotations: { [Annotations.expiresAt]: null } }),
    ...(pullRequest && { labels: { [Labels.pullRequest]: null } }),
  };
}
