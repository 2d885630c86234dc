import { parseInstant } from '../../values/instant.ts';
import { slotName, type PoolMember, type PoolView } from './member.ts';

/** The size and the limits of a pool. */
export interface PoolRules {
  readonly pool: string;
  /** How many members it has. */
  readonly size: number;
  /** How many are made at once, at most. */
  readonly maxConcurrent: number;
  /** What tells the clusters of its inputs from any others. */
  readonly fingerprint: string;
  /** Milliseconds within which a new member has to be ready. */
  readonly makingMilliseconds: number;
  /** Milliseconds that a member may live without being claimed. */
  readonly maxAge: number;
  /** Milliseconds since the epoch, by the clock of the host. */
  readonly now: number;
}

/**
 * How a member is, for the pool. `stale`: other inputs than those of the pool made it, it expires soon, or it is not ready
 * any more or for too long; `broken`: it has expired, or cannot start; `leaving`: it is being deleted; `kept`: it has the
 * annotation by which people keep it.
 */
export type MemberCondition = 'ready' | 'making' | 'stale' | 'broken' | 'leaving' | 'kept';

/** What to do next so that the pool becomes as it is to be. */
export type PoolStep =
  | { readonly kind: 'delete'; readonly members: readonly PoolMember[]; readonly reason: DeletionReason }
  | { readonly kind: 'make'; readonly names: readonly string[] }
  | { readonly kind: 'wait'; readonly members: readonly PoolMember[] }
  | { readonly kind: 'done' };

/** Why members are deleted. */
export type DeletionReason = 'broken' | 'surplus' | 'replaced';

/** The share of its life after which a member is replaced. */
const RENEWED_AFTER = 0.75;

/** How a member is. */
export function conditionOfMember(member: PoolMember, rules: PoolRules): MemberCondition {
  const { deleting, keep, expiresAt, createdAt, fingerprint, state, isReady } = member;
  if (deleting) return 'leaving';
  if (keep) return 'kept';
  const expiry = parseInstant(expiresAt ?? '');
  if (state.state === 'failing' || expiry === undefined || expiry <= rules.now) return 'broken';
  if (fingerprint !== rules.fingerprint || expiry - rules.now < rules.maxAge * (1 - RENEWED_AFTER)) return 'stale';
  if (isReady) return 'ready';
  // The host may have had a bad moment: an older one is replaced when another is ready, not deleted.
  return rules.now - Date.parse(createdAt) < rules.makingMilliseconds ? 'making' : 'stale';
}

/**
 * The next step towards the pool that is asked for. Broken members go first, since they count for nothing; what is missing
 * is made; a stale member is deleted once a new one is ready in its place, one at a time, so that a change of the inputs
 * does not empty the pool.
 */
export function nextStep({ members, taken }: PoolView, rules: PoolRules): PoolStep {
  const groups = Map.groupBy(members, (member) => conditionOfMember(member, rules));
  const of = (condition: MemberCondition): readonly PoolMember[] => groups.get(condition) ?? [];
  const [ready, making, stale, broken] = [of('ready'), of('making'), of('stale'), of('broken')];
  if (broken.length > 0) return { kind: 'delete', members: broken, reason: 'broken' };
  const fresh = ready.length + making.length;
  if (fresh > rules.size) {
    // The youngest, and those that are not ready before those that are.
    const surplus = [...making.toReversed(), ...ready.toReversed()].slice(0, fresh - rules.size);
    return { kind: 'delete', members: surplus, reason: 'surplus' };
  }
  const [oldest] = stale;
  if (oldest !== undefined && making.length === 0 && fresh + stale.length > rules.size)
    return { kind: 'delete', members: [oldest], reason: 'replaced' };
  const missing = rules.size - fresh - stale.length;
  const replaced = oldest === undefined || making.length > 0 ? 0 : 1;
  const wanted = Math.min(missing > 0 ? missing : replaced, rules.maxConcurrent - making.length, rules.size - fresh);
  if (wanted > 0) return { kind: 'make', names: freeNames(rules.pool, taken, wanted) };
  return making.length > 0 ? { kind: 'wait', members: making } : { kind: 'done' };
}

/** The names of the lowest slots that no cluster has. */
function freeNames(pool: string, taken: ReadonlySet<string>, count: number): readonly string[] {
  const names: string[] = [];
  for (let slot = 1; names.length < count; slot++) {
    const name = slotName(pool, slot);
    if (!taken.has(name)) names.push(name);
  }
  return names;
}
