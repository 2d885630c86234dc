import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds, type Kind } from '../../host/api/kinds.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesObject, Metadata } from '../../host/api/objects.ts';
import { hasStatus } from '../../host/api/api-error.ts';
import { pause } from '../../retry.ts';
import { formatDuration } from '../../values/duration.ts';
import { LASTING_KINDS } from '../engines/cluster-kinds.ts';
import type { CleanupRules } from './policy.ts';
import { Labels } from '../identity/identity.ts';
import { leftover } from '../lifecycle/delete.ts';

/** Milliseconds after which something that should be gone is a failure. */
const OVERDUE_AFTER = 3_600_000;
/** Milliseconds until a second look: Kubernetes deletes what belonged to a Cluster within seconds of its end. */
const LOOK_AGAIN_AFTER = 5_000;
/** Objects of one cluster that are named. */
const MOST_OBJECTS = 6;

/** Something that should be gone. */
export interface Leftover {
  /** What it is, since when, and what holds it. */
  readonly line: string;
  /** Whether it belongs to the repository of the rules and should have been gone for more than an hour. */
  readonly isOverdue: boolean;
}

/** All that should be gone from a namespace. */
export interface Leftovers {
  readonly found: readonly Leftover[];
  /** What these credentials may not list, as plurals. */
  readonly unverified: readonly string[];
}

/** A leftover without its Cluster. */
interface Orphan extends Leftover {
  readonly uid: string;
}

/**
 * Finds the clusters of this action whose deletion has not ended, and their machines, virtual machines and disks that
 * are there without their Cluster. Nothing of it is changed: the owner of an orphan can no longer be proved, and what
 * holds a deletion is known only to the author of the finalizer.
 */
export async function findLeftovers(
  client: KubernetesClient,
  namespace: string,
  rules: CleanupRules,
  lookAgainAfter = LOOK_AGAIN_AFTER,
): Promise<Leftovers> {
  const first = await look(client, namespace, rules);
  if (!first.orphans.some(({ isOverdue }) => isOverdue)) return asLeftovers(first);
  await pause(lookAgainAfter, client.rest.signal);
  const seen = new Set(first.orphans.map(({ uid }) => uid));
  const second = await look(client, namespace, rules);
  return asLeftovers({ ...second, orphans: second.orphans.filter(({ uid }) => seen.has(uid)) });
}

interface Look {
  readonly hanging: readonly Leftover[];
  readonly orphans: readonly Orphan[];
  readonly unverified: readonly string[];
}

function asLeftovers({ hanging, orphans, unverified }: Look): Leftovers {
  return { found: [...hanging, ...orphans], unverified };
}

async function look(client: KubernetesClient, namespace: string, rules: CleanupRules): Promise<Look> {
  const selection = { namespace, labelSelector: `${Labels.managed}=true` };
  const unverified: string[] = [];
  const lists = LASTING_KINDS.map(async (kind) => {
    const objects = await client.list(kind, selection).catch((thrown: unknown) => {
      if (!hasStatus(thrown, 403)) throw thrown;
      unverified.push(kind.plural);
      return [];
    });
    return objects.map((object) => ({ kind, object }));
  });
  const parts = (await Promise.all(lists)).flat();
  // Clusters after their parts: a Cluster that is created in between is not taken for one that is gone.
  const clusters = await client.list(Kinds.cluster, { namespace });
  const hanging = clusters.filter(isLeaving).map((cluster) => ({
    line: describeHanging(cluster, parts, rules),
    isOverdue: isOverdue(cluster, rules),
  }));
  const orphans = parts
    .filter(({ object }) => !clusters.some((cluster) => isOf(object, cluster)))
    .map(({ kind, object }) => ({
      uid: object.metadata.uid ?? '',
      line: describeOrphan(kind, object, rules),
      isOverdue: isOverdue(object, rules),
    }));
  // Two engines may have kinds of one name.
  return { hanging, orphans, unverified: [...new Set(unverified)] };
}

interface Part {
  readonly kind: Kind;
  readonly object: KubernetesObject;
}

function isLeaving({ metadata }: Cluster): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.labels?.[Labels.managed] === 'true';
}

/** Whether an object is of a Cluster: by its name, and where the action noted the uid, by that too. */
function isOf({ metadata: { labels = {} } }: KubernetesObject, { metadata: { name, uid } }: Cluster): boolean {
  const noted = labels[Labels.clusterUid] ?? uid;
  return labels[Labels.clusterName] === name && noted === uid;
}

/** When something began to be left: the deletion of an orphan may not have been requested at all. */
function since({ deletionTimestamp, creationTimestamp = '' }: Metadata): number {
  return Date.parse(deletionTimestamp ?? creationTimestamp);
}

function isOurs({ labels = {} }: Metadata, { server, repositoryId }: CleanupRules): boolean {
  return labels[Labels.server] === server && labels[Labels.repositoryId] === repositoryId;
}

function isOverdue({ metadata }: KubernetesObject, rules: CleanupRules): boolean {
  return isOurs(metadata, rules) && rules.now - since(metadata) > OVERDUE_AFTER;
}

function ageOf(time: number, { now }: CleanupRules): string {
  return Number.isNaN(time) ? 'at an unknown time' : `${formatDuration(Math.max(0, now - time) / 1000)} ago`;
}

function describeHanging(cluster: Cluster, parts: readonly Part[], rules: CleanupRules): string {
  const { metadata } = cluster;
  const left = parts.filter(({ object }) => isOf(object, cluster)).map(({ kind, object }) => leftover(kind, object));
  const shown = left.slice(0, MOST_OBJECTS).join(', ');
  const more = left.length > MOST_OBJECTS ? ` and ${left.length - MOST_OBJECTS} more` : '';
  return [
    `${metadata.namespace ?? ''}: deletion requested ${ageOf(since(metadata), rules)}${owner(metadata, rules)}`,
    leftover(Kinds.cluster, cluster),
    ...(left.length === 0 ? [] : [`left: ${shown}${more}`]),
  ].join('; ');
}

function describeOrphan(kind: Kind, object: KubernetesObject, rules: CleanupRules): string {
  const { metadata } = object;
  const { namespace = '', labels = {}, deletionTimestamp } = metadata;
  const what = deletionTimestamp === undefined ? 'created' : 'deletion requested';
  return [
    `${namespace}: ${leftover(kind, object)}`,
    `its Cluster ${labels[Labels.clusterName] ?? ''} is gone`,
    `${what} ${ageOf(since(metadata), rules)}${owner(metadata, rules)}`,
  ].join('; ');
}

function owner(metadata: Metadata, rules: CleanupRules): string {
  return isOurs(metadata, rules) ? '' : ', of another repository';
}
