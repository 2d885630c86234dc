import { findOwned } from '../cluster/identity/ownership.ts';
import { permissionsOf } from '../permissions.ts';
import { checkPermissions } from '../host/preflight.ts';
import type { KubeconfigInputs } from '../inputs.ts';
import type { JobWorld } from '../world.ts';
import { enterHostOfClusters } from './connect-host.ts';
import { keepCredentials } from './credentials.ts';
import { handOverKubeconfig } from './write-kubeconfig.ts';

/**
 * Hands over the kubeconfig of a cluster of this repository to a later job: a masked text cannot pass between jobs,
 * the cluster's name can. Errors: KNEST_HOST_*, KNEST_PERMISSION, KNEST_NOT_FOUND, KNEST_OWNED_BY_OTHER,
 * KNEST_API_ACCESS, KNEST_TIMEOUT.
 */
export async function kubeconfig(inputs: KubeconfigInputs, world: JobWorld): Promise<void> {
  const { name, namespace } = inputs;
  world.output('name', name);
  world.output('namespace', namespace);
  const host = await enterHostOfClusters(inputs, world);
  const { client } = host;
  await checkPermissions(client, permissionsOf('kubeconfig', namespace));
  await findOwned(client, inputs, world.job);
  const { saved } = await keepCredentials(host, name, world.directory);
  world.state.rememberHost(saved);
  await handOverKubeconfig(client, inputs, saved, inputs, world);
  world.output('timings', JSON.stringify(world.timeline));
  world.log.line(`✔ KUBECONFIG is that of ${name}`);
}
