import { proofOfRepository } from '../cluster/identity/ownership.ts';
import { permissionsOf } from '../permissions.ts';
import { describeRest, removeCluster } from '../cluster/lifecycle/delete.ts';
import { checkPermissions } from '../host/preflight.ts';
import type { DeleteInputs } from '../inputs.ts';
import type { JobWorld } from '../world.ts';
import { enterHostOfClusters } from './connect-host.ts';

/**
 * Deletes a nested cluster of this repository and waits until nothing of it is left. That there is none is no error.
 * Errors: KNEST_HOST_*, KNEST_PERMISSION, KNEST_OWNED_BY_OTHER, KNEST_DELETE.
 */
export async function deleteCluster(inputs: DeleteInputs, world: JobWorld): Promise<void> {
  const { name, namespace } = inputs;
  world.output('name', name);
  world.output('namespace', namespace);
  const { client } = await enterHostOfClusters(inputs, world);
  await checkPermissions(client, permissionsOf('delete', namespace));
  const { existed, rest } = await world.log.step('Delete', async (step) => {
    const removal = await removeCluster(client, inputs, proofOfRepository(world.job), step, world.signal);
    const rest = describeRest(name, removal);
    const result = removal.existed ? rest : `there is no cluster ${namespace}/${name}; ${rest}`;
    return { value: { existed: removal.existed, rest }, result };
  });
  world.output('timings', JSON.stringify(world.timeline));
  await world.summary.add(`### ${name} ${existed ? 'deleted' : 'was not there'}\n\n${rest}`);
  world.log.line(
    existed ? `✔ ${name} is gone after ${(world.timeline.elapsed / 1000).toFixed(1)} s` : `✔ ${name} is gone`,
  );
}
