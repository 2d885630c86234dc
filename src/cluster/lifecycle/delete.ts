import { firstLineOf, KnestError } from '../../errors.ts';
import { preconditionsOf, type KubernetesClient } from '../../host/api/client.ts';
import { isConflict } from '../../host/api/conflict.ts';
import { Kinds, type Kind } from '../../host/api/kinds.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import { conditionOf, type KubernetesObject } from '../../host/api/objects.ts';
import { isTransient } from '../../host/api/api-error.ts';
import { pause, retry } from '../../retry.ts';
import { watchTarget, watchUntil, type Unavailable, type WatchTarget } from '../../host/api/watch.ts';
import type { StepLog } from '../../report/log.ts';
import { formatDuration } from '../../values/duration.ts';
import { AWAITED_KINDS, COUNTED_KINDS, DISK_KINDS } from '../engines/cluster-kinds.ts';
import { tieDisks } from './disks.ts';
import { fleetCluster } from '../identity/fleet-cluster.ts';
import { Labels } from '../identity/identity.ts';
import { checkOwner, type Proof } from '../identity/ownership.ts';
import { LastLook, secretsTarget } from './secrets.ts';
import { belongingToAny, type ClusterHandle } from '../identity/cluster-handle.ts';

/**
 * What is left of these clusters of a namespace: disks are theirs by the action's own label. Secrets are looked for as
 * long as `waiting` names their cluster: each second once `isPressing`, since they go after the Cluster that owns them.
 */
export function remainsOf(
  namespace: string,
  names: readonly string[],
  isPressing: () => boolean,
  waiting: () => readonly string[] = () => names,
): readonly WatchTarget[] {
  const selection = belongingToAny(namespace, names);
  const { labelSelector = '' } = selection;
  const tied = { ...selection, labelSelector: `${labelSelector},${Labels.managed}=true` };
  const remains = AWAITED_KINDS.map((kind) => watchTarget(kind, DISK_KINDS.includes(kind) ? tied : selection));
  return [...remains, secretsTarget(namespace, waiting, remains, isPressing)];
}

/** How a deletion ended. */
export interface Removal {
  /** Whether there was a cluster. */
  readonly existed: boolean;
  /** What these credentials may not list, as plurals: nobody knows whether something of it is left. */
  readonly unverified: readonly string[];
}

/**
 * Deletes a cluster and waits until nothing of it is left, a line for each change. Throws KNEST_OWNED_BY_OTHER,
 * KNEST_DELETE.
 */
export async function removeCluster(
  client: KubernetesClient,
  handle: ClusterHandle,
  proof: Proof,
  log: StepLog,
  signal: AbortSignal,
): Promise<Removal> {
  const disks: { tied?: Promise<boolean> } = {};
  const tieOnce = async (cluster: Cluster): Promise<boolean> =>
    tieDisks(client, handle.namespace, [fleetCluster(cluster)], log).catch((thrown: unknown) => {
      log.line(`disks of its machines may remain: ${firstLineOf(thrown)}`);
      return false;
    });
  const tie = async (cluster: Cluster): Promise<void> => {
    disks.tied ??= tieOnce(cluster);
    await Promise.race([disks.tied, pause(TIE_MILLISECONDS, signal)]).catch(() => undefined);
  };
  const cluster = await insistOnDeletion(client, handle, proof, tie, log, signal);
  const hasDisks = await disks.tied;
  const ended = new AbortController();
  // A disk may be created while its machine goes: the provider had begun to.
  const tying = cluster !== undefined && hasDisks ? keepTying(() => tieOnce(cluster), ended.signal) : undefined;
  try {
    const unverified = await waitUntilGone(client, handle, cluster?.metadata.uid, (line) => log.line(line), signal);
    return { existed: cluster !== undefined, unverified };
  } finally {
    ended.abort();
    await tying;
  }
}

/** Ties disks again and again, until no machine is left that may have some, or the signal aborts. Never rejects. */
export async function keepTying(
  tieOnce: () => Promise<boolean>,
  signal: AbortSignal,
  every = TIE_MILLISECONDS,
): Promise<void> {
  let isNeeded = true;
  while (isNeeded) {
    await pause(every, signal).catch(() => undefined);
    isNeeded = !signal.aborted && (await tieOnce());
  }
}

/** What is known of a deleted cluster, as a sentence. */
export function describeRest(name: string, { unverified }: Pick<Removal, 'unverified'>): string {
  const all = `nothing of ${name} is left`;
  return unverified.length === 0 ? all : `${all} that these credentials may list; ${unverifiedText(unverified)}`;
}

/** Which kinds could not be looked at, as a clause. */
export function unverifiedText(unverified: readonly string[]): string {
  return `not verified: ${unverified.join(', ')}`;
}

/**
 * Milliseconds that the deletion waits at most for the disks to be tied, since the post step of a cancelled job has seconds;
 * and between two times that they are.
 */
const TIE_MILLISECONDS = 1_000;
/** Milliseconds until the deletion is asked for again, the first time. */
const INSIST_AFTER = 1_000;

/**
 * Asks for the deletion until the host accepts it or the time is up: a webhook whose pods restart refuses for longer
 * than one request is tried, and a cluster that is not deleted now stays until it expires. Throws as requestDeletion.
 */
async function insistOnDeletion(
  client: KubernetesClient,
  handle: ClusterHandle,
  proof: Proof,
  beforehand: (cluster: Cluster) => Promise<void>,
  log: StepLog,
  signal: AbortSignal,
): Promise<Cluster | undefined> {
  let last: Error | undefined;
  const isRetried = (thrown: unknown): boolean => {
    if (!isTransient(thrown) && !isConflict(thrown)) return false;
    log.line(`requesting deletion again: ${firstLineOf(thrown)}`);
    last = thrown as Error;
    return true;
  };
  const options = { signal, isRetried, tries: Number.POSITIVE_INFINITY, firstPause: INSIST_AFTER };
  return retry(() => requestDeletion(client, handle, proof, beforehand), options).catch((thrown: unknown) => {
    if (last === undefined || !signal.aborted) throw thrown;
    throw thrown instanceof KnestError ? thrown.with(firstLineOf(last)) : last;
  });
}

/**
 * Asks for the deletion of a cluster, and of nothing else: deleting its parts beside it would take the infrastructure
 * away before the machines. Resolves undefined when there is none. Throws KNEST_OWNED_BY_OTHER when the labels of
 * `proof` are not on it, and ApiError 409 when it changed since it was read. `beforehand` is done once it is known to be
 * ours.
 */
async function requestDeletion(
  client: KubernetesClient,
  { name, namespace }: ClusterHandle,
  proof: Proof,
  beforehand: (cluster: Cluster) => Promise<void>,
): Promise<Cluster | undefined> {
  const cluster = await client.get(Kinds.cluster, name, namespace);
  if (cluster === undefined) return undefined;
  checkOwner(cluster, proof, 'deleted');
  await beforehand(cluster);
  if (cluster.metadata.deletionTimestamp === undefined) {
    await client.delete(Kinds.cluster, name, namespace, preconditionsOf(cluster));
  }
  return cluster;
}

/**
 * Waits until nothing is left of a cluster: its objects, its machines' VMs, their pods, disks and addresses, its
 * Service and Secrets. `say` hears each change. Resolves the plurals of what these credentials may not list. Throws
 * KNEST_DELETE, with what is left and why, when the signal aborts first.
 */
export async function waitUntilGone(
  client: KubernetesClient,
  { name, namespace }: ClusterHandle,
  uid: string | undefined,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const started = performance.now();
  const cluster = watchTarget(Kinds.cluster, { namespace, fieldSelector: `metadata.name=${name}` });
  const unverified = new Set<string>();
  // Cluster API names this after the cluster, and puts no label on it.
  const binding = watchTarget(Kinds.clusterResourceSetBinding, { namespace, fieldSelector: `metadata.name=${name}` });
  const find = (): Cluster | undefined =>
    [...cluster.objects.values()].find(({ metadata }) => uid === undefined || metadata.uid === uid);
  const remains = [...remainsOf(namespace, [name], () => find() === undefined), binding];
  let said = '';
  const lastLook = new LastLook(remains);
  const isGone = (): boolean => {
    const current = find();
    const isSeen = ({ objects, byName }: WatchTarget): boolean => byName === undefined && objects.size > 0;
    const isLookedFor = lastLook.isDone(name, current === undefined && !remains.some(isSeen));
    if (current === undefined && remains.every(({ objects }) => objects.size === 0)) return isLookedFor;
    const line = deletionLine(current, remains);
    if (line !== said) say(line);
    said = line;
    return false;
  };
  try {
    await watchUntil(client, [cluster, ...remains], () => isGone() || undefined, signal, noteUnverified(unverified));
    return [...unverified];
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    const objects = [cluster, ...remains].flatMap(({ kind, objects }) =>
      [...objects.values()].map((object) => leftover(kind, object)),
    );
    throw new KnestError({
      code: 'KNEST_DELETE',
      problem: `${name} is being deleted, but not gone after ${formatDuration((performance.now() - started) / 1000)}`,
      evidence: [...client.rest.outage, ...(said === '' ? [] : [said]), ...objects.slice(0, 12)],
      next: `look at kubectl describe cluster -n ${namespace} ${name} on the host; the deletion continues without this job`,
      cause: thrown,
    });
  }
}

/**
 * Notes what these credentials may not list. Throws KNEST_PERMISSION for Clusters: nobody could say that one is gone.
 */
export function noteUnverified(unverified: Set<string>): (unavailable: Unavailable) => void {
  return ({ kind, isForbidden, reason }) => {
    if (!isForbidden) return;
    if (kind === Kinds.cluster) throw new KnestError({ code: 'KNEST_PERMISSION', problem: reason });
    unverified.add(kind.plural);
  };
}

function deletionLine(cluster: Cluster | undefined, remains: readonly WatchTarget[]): string {
  const deleting = conditionOf(cluster, 'Deleting');
  const reason = deleting?.status === 'True' ? deleting.reason : undefined;
  const head = cluster === undefined ? 'Cluster gone' : (reason ?? 'deletion requested');
  const left = remains
    .filter(({ kind, objects }) => objects.size > 0 && COUNTED_KINDS.includes(kind))
    .map(({ kind, objects }) => `${objects.size} ${objects.size === 1 ? kind.kind : kind.plural}`);
  return left.length === 0 ? head : `${head}; left: ${left.join(', ')}`;
}

/** An object that is still there, with the finalizers that hold it. */
export function leftover({ kind }: Kind, { metadata }: KubernetesObject): string {
  const finalizers = metadata.finalizers?.join(', ') ?? '';
  return `${kind} ${metadata.name}${finalizers === '' ? '' : ` waits for ${finalizers}`}`;
}
