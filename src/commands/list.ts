import { fleetCluster, type FleetCluster } from '../cluster/identity/fleet-cluster.ts';
import { readClusters } from '../cluster/expiry/cluster-list.ts';
import { readStates, type FleetState } from '../cluster/expiry/cluster-state.ts';
import { KnestError } from '../errors.ts';
import type { KubernetesClient } from '../host/api/client.ts';
import { hasStatus } from '../host/api/api-error.ts';
import type { ListInputs } from '../inputs.ts';
import { tablePage } from '../report/summary.ts';
import { textTable } from '../report/table.ts';
import { formatDuration } from '../values/duration.ts';
import type { JobRuntime } from '../runtime.ts';
import { connectClusterHost } from './steps/connect-host.ts';

const HEADER = ['Cluster', 'State', 'Age', 'Expires', 'Repository', 'Pull request', 'Run'] as const;

/** A cluster, and how it is. */
export type ListedCluster = FleetCluster & FleetState;

/** Stands for the state of a cluster that nothing is known of. */
const UNKNOWN: FleetState = { state: 'starting' };

/**
 * Shows the clusters of this repository, or all that these credentials may see: as JSON in the output `clusters`, as a
 * table in the log and on the summary. Errors: KNEST_HOST_*, KNEST_PERMISSION.
 */
export async function list(inputs: ListInputs, runtime: JobRuntime): Promise<void> {
  const { client } = await connectClusterHost(inputs, runtime);
  const clusters = await runtime.report.log.step('List', async () => {
    const value = await readFleet(client, inputs, runtime);
    return { value, result: headline(value.length, inputs, runtime) };
  });
  const rows = clusters.map((cluster) => describeCluster(cluster, Date.now()));
  for (const { namespace, name, problem } of clusters) {
    if (problem !== undefined) runtime.report.log.line(`${namespace}/${name} cannot start: ${problem}`);
  }
  if (rows.length > 0) for (const line of textTable(HEADER, rows)) runtime.report.log.line(line);
  runtime.outputs.set('clusters', JSON.stringify(clusters));
  runtime.outputs.set('timings', JSON.stringify(runtime.report.timeline));
  await runtime.report.summary.add(tablePage(headline(clusters.length, inputs, runtime), HEADER, rows));
}

async function readFleet(
  client: KubernetesClient,
  { namespace, allRepositories }: ListInputs,
  { job }: JobRuntime,
): Promise<readonly ListedCluster[]> {
  try {
    const clusters = await readClusters(client, namespace, allRepositories ? undefined : job);
    const states = await readStates(client, namespace, clusters, Date.now());
    return clusters.map((cluster, index) => ({ ...fleetCluster(cluster), ...(states[index] ?? UNKNOWN) }));
  } catch (thrown) {
    if (namespace !== undefined || !hasStatus(thrown, 403)) throw thrown;
    throw new KnestError({
      code: 'KNEST_PERMISSION',
      problem: 'these credentials may not list the clusters of all namespaces',
      next: 'bind docs/rbac/list.yaml of knest-action to this account, or set namespace to one in which it may list them',
      cause: thrown,
    });
  }
}

function headline(count: number, { namespace, allRepositories }: ListInputs, { job }: JobRuntime): string {
  const clusters = count === 1 ? '1 cluster' : `${count === 0 ? 'no' : count} clusters`;
  const whose = allRepositories ? '' : ` of ${job.repository}`;
  return `${clusters}${whose} in ${namespace ?? 'all namespaces'}`;
}

/** A cluster as a row of the table. `now`: milliseconds since the epoch. */
export function describeCluster(cluster: ListedCluster, now: number): readonly string[] {
  const { namespace, name, createdAt, repository, repositoryId, pullRequest, runUrl, state, code, pool } = cluster;
  return [
    `${namespace}/${name}`,
    `${state}${code === undefined ? '' : ` (${code})`}${deletionAge(cluster, now)}${pool === undefined ? '' : `, free in pool ${pool}`}`,
    formatDuration(Math.max(0, (now - Date.parse(createdAt)) / 1000)),
    expiryOf(cluster, now),
    repository ?? repositoryId ?? 'not created by this action',
    pullRequest ?? '',
    runUrl ?? '',
  ];
}

/** How long ago deletion was requested: one that hangs needs attention. */
function deletionAge({ deletionRequestedAt }: FleetCluster, now: number): string {
  if (deletionRequestedAt === undefined) return '';
  return ` for ${formatDuration(Math.max(0, (now - Date.parse(deletionRequestedAt)) / 1000))}`;
}

function expiryOf({ expiresAt, keep }: FleetCluster, now: number): string {
  if (expiresAt === undefined) return 'never';
  const seconds = (Date.parse(expiresAt) - now) / 1000;
  const kept = keep ? ', kept' : '';
  // Clean-up leaves such a cluster alone forever: the list shows why.
  if (Number.isNaN(seconds)) return `"${expiresAt}" is not a time${kept}`;
  return seconds > 0 ? `in ${formatDuration(seconds)}${kept}` : `${formatDuration(-seconds)} ago${kept}`;
}
