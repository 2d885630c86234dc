import { registryHost } from '../../cluster/registry/local-port.ts';
import { checkAddress, describeRestart } from '../../cluster/registry/beginning.ts';
import { registryPod } from '../../cluster/registry/registry.ts';
import { waitForHostPod } from '../../cluster/tunnel/host-pod-wait.ts';
import { checkPod } from '../../cluster/tunnel/pod-connection.ts';
import type { TunnelReady, TunnelUse } from '../../cluster/tunnel/settings.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { Pod } from '../../host/api/objects.ts';
import type { StepLog } from '../../report/log.ts';
import type { Runtime } from '../../runtime.ts';
import { freeRegistryPort } from './registry-port.ts';
import { findRegistryTunnel } from './registry-tunnel.ts';
import { startTunnel } from './start-tunnel.ts';

/** A tunnel that leads to a registry. */
interface OpenRegistry {
  readonly tunnel: TunnelReady;
  readonly localPort: number;
}

/**
 * Starts a tunnel that listens on that port of localhost for the registry of a cluster; 0: a free one. One that an earlier
 * step of this job started is used instead. Its pod may come later: a connection waits for it. Throws KNEST_INPUT when
 * the port is taken, KNEST_API_ACCESS when no tunnel starts.
 */
export async function openRegistry(
  cluster: Cluster,
  registryPort: number,
  use: TunnelUse,
  step: StepLog,
  runtime: Runtime,
): Promise<OpenRegistry> {
  const { name, namespace = '', uid = '' } = cluster.metadata;
  const start = async (): Promise<TunnelReady> => {
    await freeRegistryPort(registryPort, step);
    return startTunnel({ name, namespace, uid, registryPort, ...use }, runtime, runtime.clock.signal);
  };
  const tunnel = (await findRegistryTunnel(cluster, registryPort, use.claim, runtime)) ?? (await start());
  const { registryPort: localPort = registryPort } = tunnel;
  runtime.outputs.set('registry', registryHost(localPort));
  return { tunnel, localPort };
}

/**
 * Waits until the registry of a cluster takes images. Returns its pod, and warns when it is another one than before.
 * Throws KNEST_REGISTRY when it does not start or the nodes would not find it, KNEST_API_ACCESS when the host forwards no
 * ports.
 */
export async function waitForRegistry(
  client: KubernetesClient,
  cluster: Cluster,
  { report: { log }, clock: { signal } }: Runtime,
): Promise<Pod | undefined> {
  const { name, namespace = '', uid = '' } = cluster.metadata;
  return log.step('Wait for registry', async () => {
    await checkAddress(client, cluster);
    const target = registryPod(name, namespace, uid);
    await waitForHostPod(client, target, signal);
    const pod = await checkPod(client, target, signal);
    const restart = pod && describeRestart(cluster, pod);
    if (restart !== undefined) log.warn(restart);
    return { value: pod, result: 'takes images' };
  });
}
