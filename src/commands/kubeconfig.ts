import { findOwned } from '../cluster/identity/ownership.ts';
import { permissionsOf } from '../permissions/permissions.ts';
import { checkPermissions } from '../permissions/check-permissions.ts';
import type { KubeconfigInputs } from '../inputs.ts';
import type { JobRuntime } from '../runtime.ts';
import { connectClusterHost } from './steps/connect-host.ts';
import { keepCredentials } from './steps/credentials.ts';
import { JobTunnel } from './steps/open-tunnel.ts';
import { handOverKubeconfig } from './steps/write-kubeconfig.ts';

/**
 * Hands over the kubeconfig of a cluster of this repository to a later job: a masked text cannot pass between jobs,
 * the cluster's name can. Errors: KNEST_HOST_*, KNEST_PERMISSION, KNEST_NOT_FOUND, KNEST_OWNED_BY_OTHER,
 * KNEST_API_ACCESS, KNEST_TIMEOUT.
 */
export async function kubeconfig(inputs: KubeconfigInputs, runtime: JobRuntime): Promise<void> {
  const { name, namespace, apiAccess } = inputs;
  runtime.outputs.set('name', name);
  runtime.outputs.set('namespace', namespace);
  const host = await connectClusterHost(inputs, runtime);
  const { client } = host;
  await checkPermissions(client, permissionsOf('kubeconfig', namespace, apiAccess === 'tunnel' ? ['tunnel'] : []));
  await findOwned(client, inputs, runtime.job);
  const { saved } = await keepCredentials(host, name, runtime.directory);
  runtime.state.rememberHost(saved);
  const tunnel = new JobTunnel(client, inputs, inputs.relayImage, { host: saved }, runtime);
  await handOverKubeconfig(client, inputs, saved, inputs, tunnel, runtime);
  runtime.outputs.set('timings', JSON.stringify(runtime.report.timeline));
  runtime.report.log.line(`✔ KUBECONFIG points to ${name}`);
}
