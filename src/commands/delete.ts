import { proofOfRepository } from '../cluster/identity/ownership.ts';
import { permissionsOf } from '../permissions/permissions.ts';
import { describeRest, removeCluster } from '../cluster/lifecycle/delete.ts';
import { checkPermissions } from '../permissions/check-permissions.ts';
import type { DeleteInputs } from '../inputs.ts';
import type { JobRuntime } from '../runtime.ts';
import { connectClusterHost } from './steps/connect-host.ts';

/**
 * Deletes a nested cluster of this repository and waits until nothing of it is left. Succeeds when there is none.
 * Errors: KNEST_HOST_*, KNEST_PERMISSION, KNEST_OWNED_BY_OTHER, KNEST_DELETE.
 */
export async function deleteCluster(inputs: DeleteInputs, runtime: JobRuntime): Promise<void> {
  const { name, namespace } = inputs;
  runtime.outputs.set('name', name);
  runtime.outputs.set('namespace', namespace);
  const { client } = await connectClusterHost(inputs, runtime);
  await checkPermissions(client, permissionsOf('delete', namespace));
  const { existed, rest } = await runtime.report.log.step('Delete', async (step) => {
    const removal = await removeCluster(client, inputs, proofOfRepository(runtime.job), step, runtime.clock.signal);
    const rest = describeRest(name, removal);
    const result = removal.existed ? rest : `there is no cluster ${namespace}/${name}; ${rest}`;
    return { value: { existed: removal.existed, rest }, result };
  });
  runtime.outputs.set('timings', JSON.stringify(runtime.report.timeline));
  await runtime.report.summary.add(`### ${name} ${existed ? 'deleted' : 'did not exist'}\n\n${rest}`);
  runtime.report.log.line(
    existed ? `✔ ${name} is gone after ${(runtime.report.timeline.elapsed / 1000).toFixed(1)} s` : `✔ ${name} is gone`,
  );
}
