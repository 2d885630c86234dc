import { checkOwner } from '../cluster/ownership.ts';
import { describeRest, removeCluster } from '../cluster/removal.ts';
import type { KubernetesClient } from '../host/client.ts';
import { Kinds } from '../host/kinds.ts';
import type { JobStatus } from '../inputs.ts';
import { keptLines } from '../report/kept.ts';
import { keptPage } from '../report/summary.ts';
import type { SavedState } from '../state.ts';
import type { World } from '../world.ts';
import { dropCredentials, enterAgain } from './credentials.ts';
import { AFTER_CANCELLATION, AFTER_FAILURE, diagnose } from './diagnose.ts';

/**
 * The post step: deletes the ephemeral cluster that main remembered, and waits a bounded time for its end. It reads
 * only what main saved, and how the job went: the cluster of a failed job may be one to keep, and that of a failed or
 * cancelled one is looked at first. Errors as `delete`; the caller warns, since a failed clean-up must not fail a
 * green job.
 */
export async function post(jobStatus: JobStatus | undefined, world: World): Promise<void> {
  const saved = world.state.recall();
  if (saved === undefined) return;
  const { name, namespace } = saved;
  if (!saved.ephemeral) {
    world.log.line(`▸ ${namespace}/${name} is not ephemeral: it stays`);
    return;
  }
  const client = await enterAgain(saved.host, world);
  const hasFailed = world.state.isKept || jobStatus === 'failure';
  if (hasFailed && saved.keepOnFailure) await keep(client, saved, world);
  else {
    if (jobStatus === 'cancelled') await diagnose(client, saved, AFTER_CANCELLATION, world);
    else if (hasFailed) await diagnose(client, saved, AFTER_FAILURE, world);
    await world.log.step('Delete', async (step) => {
      const removal = await removeCluster(client, saved, saved.owner, step, world.signal);
      const rest = describeRest(name, removal);
      return { value: undefined, result: removal.existed ? rest : `${name} was gone already; ${rest}` };
    });
  }
  await dropCredentials(saved.host);
}

/** Leaves the cluster as it is, its expiry too, and tells how to reach and delete it: on the summary too, unless main did. */
async function keep(client: KubernetesClient, saved: SavedState, { log, state, summary }: World): Promise<void> {
  const cluster = await client.get(Kinds.cluster, saved.name, saved.namespace);
  if (cluster === undefined) {
    log.line(`▸ there is no cluster ${saved.namespace}/${saved.name} to keep`);
    return;
  }
  checkOwner(cluster, saved.owner, 'kept');
  for (const line of keptLines(saved)) log.line(line);
  if (!state.isKept) await summary.add(keptPage(saved));
}
