import { readFile } from 'node:fs/promises';
import { requestDeletion, waitUntilGone } from '../cluster/removal.ts';
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
  const client = enter(await readFile(saved.hostKubeconfigFile, 'utf8'), world.signal, world.log.debug);
  await world.log.step('Delete', async (step) => {
    const cluster = await requestDeletion(client, saved, saved.owner);
    await waitUntilGone(client, saved, cluster?.metadata.uid, (line) => step.line(line), world.signal);
    return {
      value: undefined,
      result: cluster === undefined ? `${name} was gone already` : `nothing of ${name} is left`,
    };
  });
}
