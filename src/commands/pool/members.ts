import { engineOf } from '../../cluster/engines/engines.ts';
import { deleteMember } from '../../cluster/pool/delete-member.ts';
import type { DeletionReason } from '../../cluster/pool/fill-plan.ts';
import { isFree, isReady, type PoolMember } from '../../cluster/pool/member.ts';
import type { ClusterView } from '../../cluster/status/cluster-view.ts';
import { follow } from '../../cluster/status/wait.ts';
import { KnestError } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { StepLog } from '../../report/log.ts';
import type { Runtime } from '../../runtime.ts';

/** Asks for the deletion of free members of a pool, and does not wait for their end. One that a job claims stays. */
export async function deleteMembers(
  client: KubernetesClient,
  members: readonly PoolMember[],
  reason: DeletionReason,
  { report: { log } }: Runtime,
): Promise<void> {
  await log.step('Delete', async (step) => {
    let deleted = 0;
    for (const member of members) {
      const isDeleted = await deleteMember(client, member.cluster, (current) => isFree(current, member), step);
      if (isDeleted) deleted += 1;
      step.line(
        `${member.name}: ${isDeleted ? `deletion requested, ${describe(reason, member)}` : 'not free any more'}`,
      );
    }
    return { value: undefined, result: `${deleted} of ${members.length} deletions requested` };
  });
}

function describe(reason: DeletionReason, { state: { problem }, expiresAt = '' }: PoolMember): string {
  switch (reason) {
    case 'broken':
      return problem ?? `it expired at ${expiresAt}`;
    case 'surplus':
      return 'the pool has more than its size';
    case 'replaced':
      return 'it is stale, and the pool is full without it';
  }
}

/** What there is to know about the wait for members. */
export interface MemberWait {
  readonly hasCni: boolean;
  /** The time for the whole command, and for each member after its creation, in seconds. */
  readonly timeoutSeconds: number;
  /** Milliseconds since the epoch, by the clock of the host. */
  readonly now: number;
}

/**
 * Waits until all of these members are ready, a line for each change. One that cannot start is deleted; once the others are
 * ready, its failure is thrown: see `follow`. One that is claimed or deleted meanwhile, or that takes too long, is not
 * waited for any more.
 */
export async function waitForMembers(
  client: KubernetesClient,
  members: readonly PoolMember[],
  wait: MemberWait,
  { report: { log }, clock: { signal } }: Runtime,
): Promise<void> {
  await log.step('Wait for clusters', async (step) => {
    const ends = await Promise.allSettled(members.map((member) => waitForMember(client, member, wait, step, signal)));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return { value: undefined, result: `${members.length} looked at` };
  });
}

async function waitForMember(
  client: KubernetesClient,
  member: PoolMember,
  { hasCni, timeoutSeconds, now }: MemberWait,
  step: StepLog,
  signal: AbortSignal,
): Promise<void> {
  const line = (text: string): void => step.line(`${member.name}: ${text}`);
  const began = performance.now();
  const left = Date.parse(member.createdAt) + timeoutSeconds * 1000 - now;
  const tooLong = AbortSignal.timeout(Math.max(0, Math.round(left)));
  const isReached = (view: ClusterView): boolean =>
    isReady(view, hasCni, now + performance.now() - began) ||
    (view.cluster !== undefined && !isFree(view.cluster, member));
  const goal = { engine: engineOf(member.cluster), persistent: false, verb: 'start', timeoutSeconds, isReached };
  try {
    await follow(client, member, goal, { line }, AbortSignal.any([signal, tooLong]));
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    if (tooLong.aborted) line('it takes too long, and is replaced');
    // Only what is known of the cluster itself condemns it.
    else if (!(thrown instanceof KnestError) || /^KNEST_(?:HOST_|PERMISSION)/.test(thrown.code)) throw thrown;
    else if (await deleteMember(client, member.cluster, (current) => isFree(current, member), step)) throw thrown;
    else line('not free any more');
  }
}
