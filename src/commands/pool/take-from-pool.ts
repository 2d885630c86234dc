import { identify, type ClusterIdentity } from '../../cluster/identity/identity.ts';
import { lackOf, proofOfClaim } from '../../cluster/identity/ownership.ts';
import { claimMember, onStayingNodes, unfitness, type ClaimRules } from '../../cluster/pool/claim-member.ts';
import { deleteMember } from '../../cluster/pool/delete-member.ts';
import { poolFingerprint } from '../../cluster/pool/fingerprint.ts';
import { findMembers, type PoolMember } from '../../cluster/pool/member.ts';
import { firstLineOf } from '../../errors.ts';
import { ApiError } from '../../host/api/api-error.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { Connection } from '../../host/connection.ts';
import type { ChosenInputs } from '../../inputs.ts';
import type { StepLog } from '../../report/log.ts';
import type { JobRuntime } from '../../runtime.ts';
import { formatDuration } from '../../values/duration.ts';
import { remember } from '../create/record.ts';

/** A cluster that was claimed from a pool: from now on as if this job had created it. */
export interface ClaimedMember {
  readonly identity: ClusterIdentity;
  readonly cluster: Cluster;
}

/**
 * Claims a ready cluster of the pool that the inputs name, and saves which one for the post step before each try. Resolves
 * undefined, with the reason in the log, when the pool has none for these inputs. `now`: milliseconds since the epoch, by
 * the clock of the host. Errors: KNEST_HOST_*, KNEST_PERMISSION, KNEST_INPUT.
 */
export async function takeFromPool(
  { client }: Connection,
  pool: string,
  now: number,
  inputs: ChosenInputs,
  runtime: JobRuntime,
): Promise<ClaimedMember | undefined> {
  return runtime.report.log.step('Pool', async (step) => {
    const rules = { fingerprint: await poolFingerprint(client, inputs), now };
    const query = {
      pool,
      namespace: inputs.namespace,
      repository: runtime.job,
      hasCni: inputs.cni.kind !== 'none',
      now,
    };
    const { members } = await findMembers(client, query);
    const fit = members.filter((member) => unfitness(member, rules) === undefined);
    for (const member of shuffled(await onStayingNodes(client, fit))) {
      const identity = identify({ ...inputs, name: member.name }, runtime.job, now);
      remember(identity, inputs, runtime);
      const cluster = await tryToClaim(client, member, identity, step);
      if (cluster === undefined) continue;
      const age = formatDuration((now - Date.parse(member.createdAt)) / 1000);
      const result = `${pool}: ${member.name} is claimed, ${age} old; ${fit.length - 1} more ready`;
      return { value: { identity, cluster }, result };
    }
    return { value: undefined, result: `${pool}: ${whyNone(members, rules)}; creating a cluster instead` };
  });
}

async function tryToClaim(
  client: KubernetesClient,
  member: PoolMember,
  identity: ClusterIdentity,
  step: StepLog,
): Promise<Cluster | undefined> {
  try {
    const cluster = await claimMember(client, member, identity);
    if (cluster === undefined) step.line(`${member.name}: another job was faster`);
    return cluster;
  } catch (thrown) {
    if (!(thrown instanceof ApiError) || thrown.code === 'KNEST_PERMISSION') throw thrown;
    step.line(`${member.name} cannot be claimed: ${firstLineOf(thrown)}`);
    return undefined;
  }
}

/** Why a pool has no cluster for these inputs. */
function whyNone(members: readonly PoolMember[], rules: ClaimRules): string {
  if (members.length === 0) return 'no cluster is free: run command: pool to fill it';
  const reasons = members.map(
    (member) => unfitness(member, rules) ?? 'taken, or on a node that is cordoned or not Ready',
  );
  const groups = [...Map.groupBy(reasons, (reason) => reason)];
  const newest = members.map(({ createdAt }) => Date.parse(createdAt)).reduce((one, other) => Math.max(one, other));
  const filled = `the newest is ${formatDuration((rules.now - newest) / 1000)} old`;
  return `no cluster is free (${groups.map(([reason, all]) => `${all.length} ${reason}`).join(', ')}); ${filled}`;
}

/** Gives up a claimed cluster that cannot be used: asks for its deletion, and does not wait for its end. */
export async function discard(
  client: KubernetesClient,
  { identity, cluster }: ClaimedMember,
  thrown: unknown,
  { report: { log } }: JobRuntime,
): Promise<void> {
  log.warn(
    `${identity.name} of the pool is deleted and a new cluster created, since it is not usable: ${firstLineOf(thrown)}`,
  );
  const isOurs = (current: Cluster): boolean => lackOf(current, proofOfClaim(identity)) === undefined;
  await deleteMember(client, cluster, isOurs, log);
}

/** In random order: jobs that begin at the same time would all try the same cluster first. */
function shuffled<T>(all: readonly T[]): readonly T[] {
  return all
    .map((one) => ({ one, place: Math.random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ one }) => one);
}
