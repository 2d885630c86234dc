import { KnestError } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { isConflict } from '../../host/api/conflict.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { ensureNamespace } from '../../host/namespaces.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import { retry } from '../../retry.ts';
import type { StepLog } from '../../report/log.ts';
import { engineOf } from '../engines/engines.ts';
import { checkNamesFree } from './name-conflicts.ts';
import { Annotations, type ClusterIdentity } from '../identity/identity.ts';
import { judgeExisting, notAdopted } from '../identity/ownership.ts';
import { describeRest, waitUntilGone } from './delete.ts';
import type { ClusterObjects } from '../template/plan.ts';

/** How often a Cluster is tried to be claimed that others write to at the same moment: for about half a minute. */
const TRIES = 12;

/** The Cluster on the host, with the claim of this use of the action on it. */
export interface ClaimedCluster {
  readonly cluster: Cluster;
  /** Whether this use created it; it adopted it otherwise. */
  readonly created: boolean;
  /** Whether objects of it may be missing: it was just created, or the job that created it was lost before it ended. */
  readonly isUnfinished: boolean;
}

/**
 * Creates the Cluster, the first object of all, which only one of several jobs can do. Adopts one that this use of the
 * action may adopt, and waits for the end of one of the repository that is still being deleted. Throws
 * KNEST_OWNED_BY_OTHER for any other.
 */
export async function claimCluster(
  client: KubernetesClient,
  { cluster, fingerprint }: ClusterObjects,
  identity: ClusterIdentity,
  log: StepLog,
  signal: AbortSignal,
): Promise<ClaimedCluster> {
  const { name, namespace, claim } = identity;
  const isPrivileged = engineOf(cluster).runsPrivilegedPods(cluster);
  await ensureNamespace(client, namespace, { isPrivileged, signal, onWait: (line) => log.line(line) });
  const wanted = withAnnotations(cluster, {
    [Annotations.template]: fingerprint,
    [Annotations.unfinished]: 'true',
    ...identity.unsettled,
  });
  const kind = { ...Kinds.cluster, apiVersion: cluster.apiVersion };
  const tryOnce = async (): Promise<ClaimedCluster> => {
    let conflict: unknown;
    try {
      return { cluster: await client.create(kind, wanted), created: true, isUnfinished: true };
    } catch (thrown) {
      if (!isConflict(thrown)) throw thrown;
      conflict = thrown;
    }
    const existing = await client.get(Kinds.cluster, name, namespace);
    if (existing === undefined) throw conflict; // gone meanwhile
    // The answer to our own request was lost, and the same request sent again.
    const { annotations = {} } = existing.metadata;
    if (annotations[Annotations.claim] === claim) return { cluster: existing, created: true, isUnfinished: true };
    const verdict = judgeExisting(existing.metadata, identity, fingerprint);
    if (verdict === 'adopt') {
      const adopted = await adopt(client, existing, identity);
      return { cluster: adopted, created: false, isUnfinished: annotations[Annotations.unfinished] !== undefined };
    }
    if (verdict !== 'deleting') throw notAdopted(identity, verdict);
    log.line(`Cluster ${namespace}/${name} is still being deleted; waiting until it is gone`);
    // All of it: what is left of the old cluster has the names of what the new one is made of.
    const unverified = await waitUntilGone(client, identity, existing.metadata.uid, (line) => log.line(line), signal);
    if (unverified.length > 0) log.line(describeRest(name, { unverified }));
    throw conflict;
  };
  return retry(tryOnce, { signal, isRetried: isConflict, tries: TRIES });
}

/**
 * Checks before anything is written that `claimCluster` and `createDependents` can succeed as things are now: the names
 * of the Cluster and its objects are free, or are those of a Cluster that may be adopted. Resolves whether there is such
 * a Cluster. Throws KNEST_OWNED_BY_OTHER, KNEST_TEMPLATE.
 */
export async function checkClaim(
  client: KubernetesClient,
  { others, fingerprint }: ClusterObjects,
  identity: ClusterIdentity,
  log: StepLog,
  signal: AbortSignal,
): Promise<boolean> {
  const isThere = async (): Promise<boolean> => {
    const existing = await client.get(Kinds.cluster, identity.name, identity.namespace);
    const verdict = existing && judgeExisting(existing.metadata, identity, fingerprint);
    if (typeof verdict === 'object') throw notAdopted(identity, verdict);
    return existing !== undefined;
  };
  if (await isThere()) return true;
  try {
    await checkNamesFree(client, others, identity, log, signal);
    return false;
  } catch (thrown) {
    // Another job may have created the Cluster and its objects in the meantime.
    if (await isThere()) return true;
    throw thrown;
  }
}

function withAnnotations(object: KubernetesObject, annotations: Readonly<Record<string, string>>): KubernetesObject {
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } } };
}

/**
 * Adopts a Cluster by one write that is tied to the state that was judged: owner, expiry and claim become ours, so that
 * a clean-up that looks from now on leaves it alone. Nothing else of it changes, neither its engine, version and number
 * of machines nor anything that belongs to it: it may have been scaled or upgraded since it was created. Throws ApiError
 * 409 when somebody else wrote to it, deleted it or replaced it in the meantime.
 */
async function adopt(
  client: KubernetesClient,
  { metadata: { uid, resourceVersion, annotations: existing = {} } }: Cluster,
  { name, namespace, owner, annotations, unsettled }: ClusterIdentity,
): Promise<Cluster> {
  return client.patch(Kinds.cluster, name, namespace, {
    metadata: {
      uid,
      resourceVersion,
      labels: owner,
      // What an earlier owner had and this one has not: an expiry that stays would have the cluster deleted.
      annotations: {
        [Annotations.expiresAt]: null,
        ...annotations,
        ...stillUnsettled(existing[Annotations.unsettled], unsettled),
      },
    },
  });
}

/**
 * The marks of a cluster that nobody was given yet, and that this use adopts: it has an expiry for the time being from
 * now on, and is still not one that this use made. None of any other cluster.
 */
function stillUnsettled(mark: string | undefined, ours: ClusterIdentity['unsettled']): ClusterIdentity['unsettled'] {
  if (mark === undefined) return {};
  const [maker = ''] = mark.split('/');
  const [, provisional = ''] = (ours[Annotations.unsettled] ?? '').split('/');
  return { ...ours, [Annotations.unsettled]: `${maker}/${provisional}` };
}

/** Notes on the Cluster that none of its objects is missing: a later create that adopts it adds nothing to it. */
export async function markFinished(client: KubernetesClient, { metadata }: Cluster): Promise<void> {
  const { name, namespace = '', uid } = metadata;
  await client.patch(Kinds.cluster, name, namespace, {
    metadata: { uid, annotations: { [Annotations.unfinished]: null } },
  });
}

/**
 * Notes on a Cluster that outlives its job that a job has been given it: from here on no failed create deletes it, and an
 * expiry that it had for the time being is gone.
 */
export async function settle(
  client: KubernetesClient,
  { name, namespace }: ClusterIdentity,
  signal: AbortSignal,
): Promise<void> {
  const tryOnce = async (): Promise<void> => {
    const cluster = await client.get(Kinds.cluster, name, namespace);
    if (cluster === undefined) {
      throw new KnestError({
        code: 'KNEST_INFRASTRUCTURE',
        problem: `Cluster ${namespace}/${name} was deleted before this job could use it`,
        next: 'look at the audit log of the host, and run the job again',
      });
    }
    const { uid, resourceVersion, annotations = {} } = cluster.metadata;
    const mark = annotations[Annotations.unsettled];
    if (mark === undefined) return;
    const [, provisional] = mark.split('/');
    const isProvisional = annotations[Annotations.expiresAt] === provisional;
    await client.patch(Kinds.cluster, name, namespace, {
      metadata: {
        uid,
        resourceVersion,
        annotations: { [Annotations.unsettled]: null, ...(isProvisional && { [Annotations.expiresAt]: null }) },
      },
    });
  };
  await retry(tryOnce, { signal, isRetried: isConflict, tries: TRIES });
}
