import { deleteDue, outcomeOf, type Outcome } from '../cluster/expiry/delete-expired.ts';
import {
  checkRepositoryId,
  isDue,
  judge,
  openQuestions,
  type CleanupRules,
  type Judgement,
} from '../cluster/expiry/policy.ts';
import { waitForDepartures } from '../cluster/lifecycle/delete-many.ts';
import { tieDisks } from '../cluster/lifecycle/disks.ts';
import { listClusters } from '../cluster/expiry/cluster-list.ts';
import { findLeftovers, type Leftover } from '../cluster/expiry/leftovers.ts';
import { permissionsOf } from '../permissions/permissions.ts';
import { unverifiedText } from '../cluster/lifecycle/delete.ts';
import { firstLineOf, KnestError } from '../errors.ts';
import { apiOf, tokenFor } from '../github/api.ts';
import { askPullRequests } from '../github/pull-requests.ts';
import { Web } from '../web.ts';
import type { KubernetesClient } from '../host/api/client.ts';
import { agreedTime } from '../host/api/clock.ts';
import { checkPermissions } from '../permissions/check-permissions.ts';
import type { CleanupInputs } from '../inputs.ts';
import { cleanupPage } from '../report/cleanup.ts';
import type { JobRuntime, Runtime } from '../runtime.ts';
import { connectClusterHost } from './steps/connect-host.ts';

/** Milliseconds for the look at what is left, which comes after the time of the command may be up. */
const REPORT_MILLISECONDS = 60_000;
/** Leftovers that the error names; the log has all. */
const MOST_OVERDUE = 20;

/**
 * Deletes the clusters of this repository that have expired, and on demand those whose pull request is closed, and
 * waits a bounded time for their end. Any other cluster is reported and kept; deletions that do not end and machines
 * and disks without their Cluster are reported.
 * Errors: KNEST_HOST_*, KNEST_PERMISSION, KNEST_RUNNER, KNEST_CLOCK_SKEW, KNEST_MAX_DELETIONS; KNEST_DELETE at the end,
 * when one could not be deleted or is not gone, after all others were, and when something of this repository is left for
 * more than an hour.
 */
export async function cleanup(inputs: CleanupInputs, runtime: JobRuntime): Promise<void> {
  const { client } = await connectClusterHost(inputs, runtime);
  await checkPermissions(client, permissionsOf('cleanup', inputs.namespace));
  const { judgements, rules } = await look(client, inputs, runtime);
  const planned = judgements.map(outcomeOf);
  const due = planned.filter(isDue);
  if (inputs.dryRun || due.length > inputs.maxDeletions) {
    const left = await report(client, inputs, rules, runtime);
    await publish(planned, left, `${due.length} of ${planned.length} clusters are due, none was deleted`, runtime);
    if (!inputs.dryRun) throw runaway(due, inputs).with(...overdueLines(left));
    failFor([], left);
    return;
  }
  const ended = await wait(client, inputs, await remove(client, inputs, judgements, rules, runtime), runtime);
  const deleted = ended.filter(({ result }) => result === 'deleted');
  const rest = planned.filter((outcome) => !isDue(outcome));
  const left = await report(client, inputs, rules, runtime);
  await publish([...ended, ...rest], left, `${deleted.length} of ${planned.length} clusters were deleted`, runtime);
  runtime.clock.cancelled.throwIfAborted();
  failFor(ended, left);
}

/** Reports what should be gone and is not; a warning when that cannot be found out. A cancelled job has no time for it. */
async function report(
  client: KubernetesClient,
  { namespace }: CleanupInputs,
  rules: CleanupRules,
  { report: { log }, clock: { cancelled } }: JobRuntime,
): Promise<readonly Leftover[]> {
  const isCancelled = (): boolean => cancelled.aborted;
  if (isCancelled()) return [];
  const briefly = client.briefly(AbortSignal.any([AbortSignal.timeout(REPORT_MILLISECONDS), cancelled]));
  try {
    return await log.step('Leftovers', async (step) => {
      const { found, unverified } = await findLeftovers(briefly, namespace, rules);
      for (const { line } of found) step.line(line);
      if (unverified.length > 0) step.line(`these credentials may not list everything; ${unverifiedText(unverified)}`);
      return { value: found, result: found.length === 0 ? 'none' : `${found.length} to look at` };
    });
  } catch (thrown) {
    if (!isCancelled()) log.warn(`cannot look for leftovers of deleted clusters: ${firstLineOf(thrown)}`);
    return [];
  }
}

function overdueLines(left: readonly Leftover[]): readonly string[] {
  return left.filter(({ isOverdue }) => isOverdue).map(({ line }) => line);
}

/** What a look at the host, and at GitHub, makes of each cluster. */
async function look(
  client: KubernetesClient,
  inputs: CleanupInputs,
  runtime: JobRuntime,
): Promise<{ readonly judgements: readonly Judgement[]; readonly rules: CleanupRules }> {
  const {
    job,
    report: { log },
    clock: { signal },
  } = runtime;
  return log.step('Find clusters', async (step) => {
    const now = await agreedTime(client, signal);
    const clusters = await listClusters(client, inputs.namespace, undefined);
    checkRepositoryId(clusters, job.repository, job);
    const byTime = { server: job.server, repositoryId: job.repositoryId, now, closedPullRequests: new Set<string>() };
    const rules = inputs.closedPullRequests
      ? await withPullRequests(
          byTime,
          openQuestions(clusters.map((cluster) => judge(cluster, byTime))),
          inputs,
          runtime,
        )
      : byTime;
    const judgements = clusters.map((cluster) => judge(cluster, rules));
    for (const judgement of judgements) {
      const { cluster, verdict, reason } = judgement;
      const place = `${cluster.namespace}/${cluster.name}`;
      step.line(`${place}: ${isDue(judgement) ? 'due' : 'kept'}, ${reason}`);
      if (verdict === 'suspect') log.warn(`${place} is never deleted by cleanup: ${reason}`);
    }
    const due = judgements.filter(isDue).length;
    return { value: { judgements, rules }, result: `${clusters.length} clusters, ${due} to delete` };
  });
}

async function withPullRequests(
  rules: CleanupRules,
  numbers: readonly string[],
  { githubToken }: CleanupInputs,
  { env, job, report: { log }, clock: { signal } }: JobRuntime,
): Promise<CleanupRules> {
  const url = apiOf(env);
  const token = tokenFor(url, githubToken, env);
  const { closed, problems } = await askPullRequests(Web.by(env, signal), { url, token }, job, numbers);
  if (problems.length > 0) log.warn(`${problems.length} pull requests count as open: ${problems[0] ?? ''}`);
  for (const problem of problems.slice(1)) log.line(`  ${problem}`);
  return { ...rules, closedPullRequests: closed };
}

/**
 * The failure of a clean-up that refuses all when there are too many, instead of deleting the first few: that many are
 * due when a clock, a `ttl` or a label is wrong, and a limit that lets some through every hour does not stop that, it
 * only stretches it. A backlog that is real takes a person who looks once.
 */
function runaway(due: readonly Judgement[], { maxDeletions }: CleanupInputs): KnestError {
  return new KnestError({
    code: 'KNEST_MAX_DELETIONS',
    problem: `${due.length} clusters are due, more than max-deletions (${maxDeletions}); none was deleted`,
    evidence: due.map(({ cluster, reason }) => `${cluster.namespace}/${cluster.name}: ${reason}`),
    next: `if all of these may go, run it once with max-deletions: ${due.length}`,
  });
}

async function remove(
  client: KubernetesClient,
  { namespace }: CleanupInputs,
  judgements: readonly Judgement[],
  rules: CleanupRules,
  { report: { log } }: Runtime,
): Promise<readonly Outcome[]> {
  return log.step('Delete', async (step) => {
    const due = judgements.filter(isDue).map(({ cluster }) => cluster);
    // First, since the disks of a deleted cluster can no longer be found.
    await tieDisks(client, namespace, due, step).catch((thrown: unknown) => {
      log.warn(`disks of persistent clusters may remain: ${firstLineOf(thrown)}`);
    });
    const outcomes = await deleteDue(client, judgements, rules, ({ cluster, result, reason, error }) => {
      const fate = error ?? (result === 'deleting' ? 'deletion requested' : `${result}, ${reason}`);
      step.line(`${cluster.namespace}/${cluster.name}: ${fate}`);
    });
    const requested = outcomes.filter(({ result }) => result === 'deleting').length;
    return { value: outcomes, result: `${requested} of ${outcomes.length} deletions requested` };
  });
}

/** Waits for the end of those that were asked to go; what is left of one that stays becomes its error. */
async function wait(
  client: KubernetesClient,
  { namespace }: CleanupInputs,
  outcomes: readonly Outcome[],
  { report: { log }, clock: { signal } }: Runtime,
): Promise<readonly Outcome[]> {
  const departing = outcomes.filter(({ result }) => result === 'deleting').map(({ cluster }) => cluster);
  if (departing.length === 0) return outcomes;
  return log.step('Wait for deletion', async (step) => {
    const { left, unverified } = await waitForDepartures(
      client,
      namespace,
      departing,
      ({ name }) => step.line(`${name}: gone`),
      signal,
    );
    const value = outcomes.map((outcome): Outcome => {
      if (outcome.result !== 'deleting') return outcome;
      const objects = left.get(outcome.cluster);
      if (objects === undefined) return { ...outcome, result: 'deleted' };
      const rest = objects.length === 0 ? 'deletion could not be confirmed' : `left: ${objects.slice(0, 6).join(', ')}`;
      return { ...outcome, error: `deletion requested, but not finished before the timeout; ${rest}` };
    });
    if (unverified.length > 0) step.line(`these credentials may not list everything; ${unverifiedText(unverified)}`);
    return { value, result: `${departing.length - left.size} of ${departing.length} are gone` };
  });
}

/** Reports the outcome of every cluster: as an output, in the summary and in the log. */
async function publish(
  outcomes: readonly Outcome[],
  left: readonly Leftover[],
  headline: string,
  runtime: JobRuntime,
): Promise<void> {
  const rows = outcomes.map(({ cluster, verdict, reason, result, error }) => {
    const { name, namespace, repository, pullRequest, expiresAt } = cluster;
    return { name, namespace, repository, pullRequest, expiresAt, result, verdict, reason: error ?? reason };
  });
  runtime.outputs.set('clusters', JSON.stringify(rows));
  runtime.outputs.set('timings', JSON.stringify(runtime.report.timeline));
  const lines = left.map(({ line }) => line);
  await runtime.report.summary.add(cleanupPage(headline, rows, lines, runtime.report.timeline));
  runtime.report.log.line(`▸ ${headline}, in ${(runtime.report.timeline.elapsed / 1000).toFixed(1)} s`);
}

/** Throws KNEST_DELETE when a cluster that was to be deleted is still there, or something is left for more than an hour. */
function failFor(outcomes: readonly Outcome[], left: readonly Leftover[]): void {
  const failed = outcomes.filter(({ error }) => error !== undefined);
  const overdue = overdueLines(left);
  if (failed.length + overdue.length === 0) return;
  const problems = [
    ...(failed.length === 0
      ? []
      : [`${failed.length} of ${outcomes.length} clusters could not be deleted; the others were`]),
    ...(overdue.length === 0
      ? []
      : [`${overdue.length === 1 ? '1 leftover is' : `${overdue.length} leftovers are`} older than an hour`]),
  ];
  const remedies = [
    ...(failed.length === 0 ? [] : ['the next cleanup tries again; if it fails too, check what blocks their deletion']),
    ...(overdue.length === 0
      ? []
      : ['cleanup does not delete leftovers: check what blocks their deletion, then delete them with kubectl']),
  ];
  throw new KnestError({
    code: 'KNEST_DELETE',
    problem: problems.join('; '),
    evidence: [
      ...failed.map(({ cluster, error = '' }) => `${cluster.namespace}/${cluster.name}: ${error}`),
      ...overdue.slice(0, MOST_OVERDUE),
    ],
    next: remedies.join('; '),
  });
}
