import { KnestError } from '../../errors.ts';
import { formatDuration } from '../../values/duration.ts';
import { parseInstant } from '../../values/instant.ts';
import type { FleetCluster } from '../identity/fleet-cluster.ts';
import { Annotations, Labels, type RepositoryIdentity } from '../identity/identity.ts';

/** By what clean-up decides. */
export interface CleanupRules extends RepositoryIdentity {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Numbers of the pull requests that are known to be closed; any other counts as open. */
  readonly closedPullRequests: ReadonlySet<string>;
}

/**
 * What clean-up makes of a cluster. `expired` and `pull-request-closed` are deleted and nothing else is; `suspect` is
 * one of this repository that people should look at, since no clean-up will ever delete it as it is.
 */
export type Verdict =
  'expired' | 'pull-request-closed' | 'alive' | 'lasting' | 'keep' | 'deleting' | 'suspect' | 'foreign';

/** A cluster with its verdict, and the reason for people. */
export interface Judgement {
  readonly cluster: FleetCluster;
  readonly verdict: Verdict;
  readonly reason: string;
}

/**
 * Checks that the id is that of the repository, by what the host has: otherwise no clean-up would find a cluster, ever.
 * Clusters of the repository's name that all have another id mean that this one is wrong; where some have it, the others
 * are those of a repository that was deleted and made again. Throws KNEST_RUNNER.
 */
export function checkRepositoryId(
  clusters: readonly FleetCluster[],
  repository: string,
  { server, repositoryId }: RepositoryIdentity,
): void {
  const named = clusters.filter((cluster) => cluster.managed && cluster.server === server);
  const ofName = named.filter((cluster) => cluster.repository === repository && repository !== '');
  const [other] = ofName;
  if (other === undefined || named.some((cluster) => cluster.repositoryId === repositoryId)) return;
  throw new KnestError({
    code: 'KNEST_RUNNER',
    problem: `GITHUB_REPOSITORY_ID is ${repositoryId}, but the clusters of ${repository} are labelled with ${other.repositoryId ?? 'no id'}`,
    evidence: ofName.slice(0, MOST_NAMED).map(({ namespace, name }) => `${namespace}/${name}`),
    next: `set it to the id of the repository: gh api repos/${repository} --jq .id; if that is ${repositoryId}, these clusters belong to another repository that had this name before: ask its owner`,
  });
}

/** Clusters that an error names. */
const MOST_NAMED = 20;

/**
 * Judges a cluster. The order is that of safety: whose it is comes first, then what keeps it, and only what is marked
 * in every way, with an expiry that can be read, can be deleted, also when its pull request is closed.
 */
export function judge(cluster: FleetCluster, rules: CleanupRules): Judgement {
  const [verdict, reason] = verdictOn(cluster, rules);
  return { cluster, verdict, reason };
}

function verdictOn(cluster: FleetCluster, rules: CleanupRules): readonly [Verdict, string] {
  const { server, repositoryId, expiresAt, pullRequest } = cluster;
  if (!cluster.managed) return ['foreign', `it has no label ${Labels.managed}=true`];
  if (repositoryId === undefined) return ['foreign', `it has no label ${Labels.repositoryId}`];
  if (server === undefined) return ['foreign', `it has no label ${Labels.server}`];
  if (server !== rules.server) return ['foreign', `it belongs to a repository on ${server}`];
  if (repositoryId !== rules.repositoryId) return ['foreign', `it belongs to the repository ${repositoryId}`];
  if (cluster.deleting) return ['deleting', describeDeletion(cluster, rules.now)];
  if (cluster.keep) return ['keep', `it has the annotation ${Annotations.keep}`];
  if (expiresAt === undefined) return ['lasting', 'it never expires'];
  const expiry = parseInstant(expiresAt);
  if (expiry === undefined) return ['suspect', `its expiry "${expiresAt}" is not an RFC 3339 time`];
  // Without both, a deletion could not be tied to what was looked at.
  if (cluster.uid === '' || cluster.resourceVersion === '') return ['suspect', 'it has no uid or resourceVersion'];
  if (expiry <= rules.now) return ['expired', `it expired at ${expiresAt}`];
  if (pullRequest !== undefined && rules.closedPullRequests.has(pullRequest)) {
    return ['pull-request-closed', `pull request ${pullRequest} is closed`];
  }
  return ['alive', `it expires at ${expiresAt}`];
}

function describeDeletion({ deletionRequestedAt = '', finalizers }: FleetCluster, now: number): string {
  const age = formatDuration(Math.max(0, now - Date.parse(deletionRequestedAt)) / 1000);
  const held = finalizers.length === 0 ? '' : `, it waits for ${finalizers.join(', ')}`;
  return `its deletion was requested ${age} ago${held}`;
}

/** Whether clean-up deletes a cluster with that verdict. */
export function isDue({ verdict }: Judgement): boolean {
  return verdict === 'expired' || verdict === 'pull-request-closed';
}

/** The pull requests, each once, whose state decides on a cluster that has not expired. */
export function openQuestions(judgements: readonly Judgement[]): readonly string[] {
  const numbers = judgements.flatMap(({ verdict, cluster: { pullRequest } }) =>
    verdict === 'alive' && pullRequest !== undefined ? [pullRequest] : [],
  );
  return [...new Set(numbers)];
}
