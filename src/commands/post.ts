import { Annotations } from '../cluster/identity/identity.ts';
import { lackOf, proofOfClaim } from '../cluster/identity/ownership.ts';
import { describeRest, removeCluster } from '../cluster/lifecycle/delete.ts';
import { firstLineOf } from '../errors.ts';
import type { KubernetesClient } from '../host/api/client.ts';
import { Kinds } from '../host/api/kinds.ts';
import type { JobStatus } from '../inputs.ts';
import { keptLines } from '../report/kept-cluster.ts';
import { keptPage } from '../report/summary.ts';
import type { SavedHost, SavedState } from '../post-state.ts';
import type { Runtime } from '../runtime.ts';
import { dropCredentials, connectSaved } from './steps/credentials.ts';
import { endTunnel, problemsOfTunnel } from './steps/start-tunnel.ts';
import { AFTER_CANCELLATION, AFTER_FAILURE, diagnose } from './steps/diagnose.ts';

/**
 * The post step: deletes the cluster that this very use of the action claimed and that ends with it, since it is
 * ephemeral or was never handed over, and waits a bounded time for its end. It reads only what main saved, and how the
 * job ended: the cluster of a failed job may be one to keep, and that of a failed or cancelled one is looked at first. A
 * cluster of the same name that main did not claim, since it was refused or failed before, or that a later attempt
 * adopted, is not touched. A tunnel of main ends here, whatever becomes of the cluster. Errors as `delete`; the caller
 * warns, since a failed clean-up must not fail a green job.
 */
export async function post(jobStatus: JobStatus | undefined, runtime: Runtime): Promise<void> {
  const host = runtime.state.recallHost();
  if (host === undefined) return;
  const saved = runtime.state.recall();
  const hasFailed = runtime.state.isKept || jobStatus === 'failure';
  // Now: the tunnel ends with the cluster, and logs why.
  const problems = hasFailed ? problemsOfTunnel(runtime) : [];
  try {
    if (saved !== undefined)
      await endCluster(host, saved, { hasFailed, isCancelled: jobStatus === 'cancelled' }, runtime);
  } finally {
    // After the cluster, whose deletion is urgent in a cancelled job. Neither failure keeps the credentials here, nor does
    // that of the tunnel hide that of the cluster.
    await endTunnel(runtime, problems).catch((thrown: unknown) =>
      runtime.report.log.warn(`the tunnel may not have ended: ${firstLineOf(thrown)}`),
    );
    await dropCredentials(host);
  }
}

/** How the job ended, as far as it matters here. */
interface JobEnd {
  /** Whether main failed, or a step after it. */
  readonly hasFailed: boolean;
  readonly isCancelled: boolean;
}

async function endCluster(host: SavedHost, saved: SavedState, job: JobEnd, runtime: Runtime): Promise<void> {
  const { name, namespace, ephemeral } = saved;
  if (!ephemeral && runtime.state.isHandedOver) {
    runtime.report.log.line(`▸ ${namespace}/${name} is not ephemeral: it stays`);
    return;
  }
  const { client } = await connectSaved(host, "the saved copy of the host's kubeconfig", runtime, { wasReached: true });
  if (await isClaimed(client, saved, runtime)) await end(client, saved, job, runtime);
}

/** Whether the cluster is the one that main claimed; the log has the reason when it is not. */
async function isClaimed(client: KubernetesClient, saved: SavedState, { report: { log } }: Runtime): Promise<boolean> {
  const { name, namespace } = saved;
  const cluster = await client.get(Kinds.cluster, name, namespace);
  if (cluster === undefined) {
    log.line(`▸ ${namespace}/${name} is gone already, or was never created`);
    return false;
  }
  const lack = lackOf(cluster, proofOfClaim(saved));
  if (lack === undefined) return true;
  const isAdopted = !saved.ephemeral && cluster.metadata.annotations?.[Annotations.claim] === saved.claim;
  const reason = isAdopted
    ? `it existed before this step, which adopted it (${lack})`
    : `this step did not claim it: ${lack}`;
  log.line(`▸ ${namespace}/${name} stays: ${reason}`);
  return false;
}

/** Deletes the cluster, or leaves it as it is when it is one to keep. */
async function end(
  client: KubernetesClient,
  saved: SavedState,
  { hasFailed, isCancelled }: JobEnd,
  runtime: Runtime,
): Promise<void> {
  if (hasFailed && saved.keepOnFailure) {
    await keep(saved, runtime);
    return;
  }
  if (isCancelled) await diagnose(client, saved, AFTER_CANCELLATION, runtime);
  else if (hasFailed) await diagnose(client, saved, AFTER_FAILURE, runtime);
  await runtime.report.log.step('Delete', async (step) => {
    const removal = await removeCluster(client, saved, proofOfClaim(saved), step, runtime.clock.signal);
    const rest = describeRest(saved.name, removal);
    return { value: undefined, result: removal.existed ? rest : `${saved.name} was gone already; ${rest}` };
  });
}

/** Says how to reach and delete a cluster that stays: on the summary too, unless main did. */
async function keep(saved: SavedState, { state, report: { log, summary } }: Runtime): Promise<void> {
  const kept = { expiresAt: saved.unsettled[Annotations.expiresAt], ...saved };
  for (const line of keptLines(kept)) log.line(line);
  if (!state.isKept) await summary.add(keptPage(kept));
}
