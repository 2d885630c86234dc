import { unlessForbidden } from '../../host/api/api-error.ts';
import type { JsonPatchOperation, KubernetesClient } from '../../host/api/client.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import { isConflict } from '../../host/api/conflict.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { conditionOf } from '../../host/api/objects.ts';
import { retry } from '../../retry.ts';
import { parseInstant } from '../../values/instant.ts';
import { Annotations, Labels, type ClusterIdentity, type Marks } from '../identity/identity.ts';
import { isFree, type PoolMember } from './member.ts';

/** By what a job chooses a member. */
export interface ClaimRules {
  readonly fingerprint: string;
  /** Milliseconds since the epoch, by the clock of the host. */
  readonly now: number;
}

/** Milliseconds before its expiry in which a member is not handed out: cleanup may be about to delete it. */
const EXPIRY_MARGIN = 60_000;

/** Why a member is not handed out; undefined when it may be. */
export function unfitness(member: PoolMember, { fingerprint, now }: ClaimRules): string | undefined {
  const { deleting, keep, expiresAt, state, isReady } = member;
  if (deleting) return 'being deleted';
  if (keep) return 'kept';
  if (state.state === 'failing') return 'failing';
  if ((parseInstant(expiresAt ?? '') ?? 0) < now + EXPIRY_MARGIN) return 'expired';
  if (member.fingerprint !== fingerprint) return 'made by other inputs or another version of the action';
  return isReady ? undefined : 'not ready';
}

/**
 * The members whose machines run on nodes of the host that are to stay: the next to be drained takes its machines with it.
 * All of them where these credentials may not list nodes.
 */
export async function onStayingNodes(
  client: KubernetesClient,
  members: readonly PoolMember[],
): Promise<readonly PoolMember[]> {
  if (members.length === 0) return [];
  const nodes = await unlessForbidden(client.list(Kinds.node), []);
  const leaving = new Set(
    nodes
      .filter(
        (node) =>
          node.metadata.deletionTimestamp !== undefined ||
          node.spec?.unschedulable === true ||
          conditionOf(node, 'Ready')?.status !== 'True',
      )
      .map(({ metadata }) => metadata.name),
  );
  return members.filter(({ hostNodes }) => !hostNodes.some((name) => leaving.has(name)));
}

/**
 * Claims a member by one write of its Cluster, which fails when it is not free in the pool any more: owner, expiry
 * and claim become those of `identity`, and nothing else changes. Controllers may write to it at the same time. Resolves
 * undefined when another job has it, or it is gone or being deleted. An answer that is lost or unclear is looked into
 * before: a second member is never claimed for one identity. Throws ApiError when the host refuses the write for another
 * reason, such as a policy.
 */
export async function claimMember(
  client: KubernetesClient,
  member: PoolMember,
  identity: ClusterIdentity,
): Promise<Cluster | undefined> {
  const { name, namespace } = member;
  const operations = claimOperations(member, identity);
  const tryOnce = async (): Promise<Cluster | undefined> => {
    try {
      return await client.jsonPatch<Cluster>(Kinds.cluster, name, namespace, operations);
    } catch (thrown) {
      const current = await client.get(Kinds.cluster, name, namespace);
      if (current?.metadata.annotations?.[Annotations.claim] === identity.claim) return current;
      if (current === undefined || !isFree(current, member)) return undefined;
      throw thrown;
    }
  };
  const claimed = await retry(tryOnce, { signal: client.rest.signal, isRetried: isConflict });
  return claimed?.metadata.deletionTimestamp === undefined ? claimed : undefined;
}

function claimOperations(member: PoolMember, identity: ClusterIdentity): readonly JsonPatchOperation[] {
  const { uid, pool, fingerprint, cluster } = member;
  const [labels, annotations] = ['/metadata/labels', '/metadata/annotations'];
  const isUnsettled = cluster.metadata.annotations?.[Annotations.unsettled] !== undefined;
  const marks = { ...identity.annotations, ...identity.unsettled, [Annotations.fromPool]: pool };
  return [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'test', path: pointer(labels, Labels.pool), value: pool },
    { op: 'test', path: pointer(annotations, Annotations.poolFingerprint), value: fingerprint },
    { op: 'remove', path: pointer(labels, Labels.pool) },
    // The mark of the filler, that nobody was given the cluster.
    ...(isUnsettled ? [{ op: 'remove' as const, path: pointer(annotations, Annotations.unsettled) }] : []),
    ...additions(labels, identity.owner),
    ...additions(annotations, marks),
  ];
}

function additions(parent: string, marks: Marks): readonly JsonPatchOperation[] {
  return Object.entries(marks).map(([mark, value]) => ({ op: 'add', path: pointer(parent, mark), value }));
}

/** A JSON Pointer to a member of an object. Source: RFC 6901, section 3. */
function pointer(parent: string, key: string): string {
  return `${parent}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
