import { registryHost } from '../../cluster/registry/local-port.ts';
import { registryPod } from '../../cluster/registry/registry.ts';
import { waitForHostPod } from '../../cluster/tunnel/host-pod-wait.ts';
import { checkPod } from '../../cluster/tunnel/pod-connection.ts';
import type { TunnelReady, TunnelUse } from '../../cluster/tunnel/settings.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { Runtime } from '../../runtime.ts';
import { notedRegistryTunnel } from './registry-tunnel.ts';
import { startTunnel } from './start-tunnel.ts';

/** A tunnel that leads to a registry. */
interface OpenRegistry {
  readonly tunnel: TunnelReady;
  readonly localPort: number;
}

/**
 * Starts a tunnel that listens on that port of localhost for the registry of a cluster; 0: a free one. One that an earlier
 * step of this job started is used instead. Its pod may come later: a connection waits for it. Throws KNEST_INPUT when the port is taken, KNEST_API_ACCESS when no tunnel starts.
 */
export async function openRegistry(
  cluster: Cluster,
  registryPort: number,
  use: TunnelUse,
  runtime: Runtime,
): Promise<OpenRegistry> {
  const { name, namespace = '', uid = '' } = cluster.metadata;
  const tunnel =
    (await notedRegistryTunnel(cluster, registryPort, runtime.directory, use.claim)) ??
    (await startTunnel({ name, namespace, uid, registryPort, ...use }, runtime, runtime.clock.signal));
  const { registryPort: localPort = registryPort } = tunnel;
  runtime.outputs.set('registry', registryHost(localPort));
  return { tunnel, localPort };
}

/**
 * Waits until the registry of a cluster takes images. Throws KNEST_REGISTRY when it does not start, KNEST_API_ACCESS when
 * the host forwards no ports.
 */
export async function waitForRegistry(
  client: KubernetesClient,
  { metadata: { name, namespace = '', uid = '' } }: Cluster,
  { report: { log }, clock: { signal } }: Runtime,
): Promise<void> {
  await log.step('Wait for registry', async () => {
    const pod = registryPod(name, namespace, uid);
    await waitForHostPod(client, pod, signal);
    await checkPod(client, pod, signal);
    return { value: undefined, result: 'takes images' };
  });
}
