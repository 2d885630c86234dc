import { readFile, rm } from 'node:fs/promises';
import { removeCluster } from '../cluster/removal.ts';
import { KnestError, messageOf } from '../errors.ts';
import { enter } from '../host/connect.ts';
import type { World } from '../world.ts';

/**
 * The post step: deletes the ephemeral cluster that main remembered, and waits a bounded time for its end. It reads
 * only what main saved. Errors as `delete`; the caller warns, since a failed clean-up must not fail a green job.
 */
export async function post(world: World): Promise<void> {
  const saved = world.state.recall();
  if (saved === undefined) return;
  const { name, namespace } = saved;
  if (!saved.ephemeral) {
    world.log.line(`▸ ${namespace}/${name} is not ephemeral: it stays`);
    return;
  }
  const client = enter(await readCredentials(saved.hostKubeconfigFile), world.signal, world.log.debug);
  await world.log.step('Delete', async (step) => {
    const existed = await removeCluster(client, saved, saved.owner, step, world.signal);
    return { value: undefined, result: existed ? `nothing of ${name} is left` : `${name} was gone already` };
  });
  await rm(saved.hostKubeconfigFile, { force: true });
}

async function readCredentials(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    throw new KnestError({
      code: 'KNEST_HOST_CONFIG',
      problem: `the copy of the host's credentials that this job kept is gone: ${messageOf(thrown)}`,
      next: 'the cluster is still there until it expires: delete it with command: delete, or leave RUNNER_TEMP alone',
      cause: thrown,
    });
  }
}
