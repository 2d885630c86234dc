import { findOwned } from '../cluster/identity/ownership.ts';
import { permissionsOf } from '../permissions/permissions.ts';
import { checkPermissions } from '../permissions/check-permissions.ts';
import { localPortOf, noRegistry, registryHost } from '../cluster/registry/local-port.ts';
import type { TunnelReady } from '../cluster/tunnel/settings.ts';
import type { Cluster } from '../host/api/cluster-api-objects.ts';
import type { KubernetesClient } from '../host/api/client.ts';
import type { KubeconfigInputs } from '../inputs.ts';
import type { SavedHost } from '../post-state.ts';
import type { JobRuntime, Runtime } from '../runtime.ts';
import { connectClusterHost } from './steps/connect-host.ts';
import { keepCredentials } from './steps/credentials.ts';
import { JobTunnel } from './steps/open-tunnel.ts';
import { openRegistry, waitForRegistry } from './steps/open-registry.ts';
import { handOverKubeconfig } from './steps/write-kubeconfig.ts';

/**
 * Hands over the kubeconfig of a cluster of this repository to a later job: a masked text cannot pass between jobs,
 * the cluster's name can. Errors: KNEST_HOST_*, KNEST_PERMISSION, KNEST_NOT_FOUND, KNEST_OWNED_BY_OTHER,
 * KNEST_API_ACCESS, KNEST_TIMEOUT; with a registry, KNEST_INPUT and KNEST_REGISTRY.
 */
export async function kubeconfig(inputs: KubeconfigInputs, runtime: JobRuntime): Promise<void> {
  const { name, namespace, apiAccess } = inputs;
  runtime.outputs.set('name', name);
  runtime.outputs.set('namespace', namespace);
  const host = await connectClusterHost(inputs, runtime);
  const { client } = host;
  const features = [
    ...(apiAccess === 'tunnel' ? ['tunnel' as const] : []),
    ...(inputs.registry ? ['registry' as const] : []),
  ];
  await checkPermissions(client, permissionsOf('kubeconfig', namespace, features));
  const cluster = await findOwned(client, inputs, runtime.job);
  const { saved } = await keepCredentials(host, name, runtime.directory);
  runtime.state.rememberHost(saved);
  const running = inputs.registry ? await reachRegistry(client, cluster, saved, runtime) : undefined;
  const tunnel = new JobTunnel(client, inputs, inputs.relayImage, { host: saved, running }, runtime);
  await handOverKubeconfig(client, inputs, saved, inputs, tunnel, runtime);
  runtime.outputs.set('timings', JSON.stringify(runtime.report.timeline));
  runtime.report.log.line(`✔ KUBECONFIG points to ${name}`);
}

/** Gives this job the way to the registry of a cluster, on the port that it has in all jobs. */
async function reachRegistry(
  client: KubernetesClient,
  cluster: Cluster,
  host: SavedHost,
  runtime: Runtime,
): Promise<TunnelReady> {
  const port = localPortOf(cluster);
  if (port === undefined) throw noRegistry(cluster);
  const { log } = runtime.report;
  const tunnel = await log.step('Registry', async (step) => {
    const { tunnel } = await openRegistry(cluster, port, { host }, step, runtime);
    return { value: tunnel, result: registryHost(port) };
  });
  await waitForRegistry(client, cluster, runtime);
  return tunnel;
}
