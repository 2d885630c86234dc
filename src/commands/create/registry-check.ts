import { Annotations, type ClusterIdentity } from '../../cluster/identity/identity.ts';
import { localPortOf, noRegistry, registryHost } from '../../cluster/registry/local-port.ts';
import { checkKubeadm } from '../../cluster/registry/nodes.ts';
import type { RenderedCluster } from '../../cluster/template/plan.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { ChosenInputs } from '../../inputs.ts';
import type { Runtime } from '../../runtime.ts';
import { describeOtherDaemon } from '../steps/docker-daemon.ts';
import { freeRegistryPort } from '../steps/registry-port.ts';
import { findRegistryTunnel } from '../steps/registry-tunnel.ts';

/**
 * Checks before anything is written that the cluster can have the registry that is asked for, if one is. Throws
 * KNEST_INPUT for machines of no kubeadm, for a cluster that exists without a registry, and for a port that is taken.
 */
export async function checkRegistry(
  client: KubernetesClient,
  { name, namespace, claim, ephemeral }: Pick<ClusterIdentity, 'name' | 'namespace' | 'claim' | 'ephemeral'>,
  { cluster, others }: RenderedCluster,
  { registry }: ChosenInputs,
  runtime: Runtime,
): Promise<void> {
  if (registry === undefined) return;
  const { log } = runtime.report;
  await log.step('Registry port', async (step) => {
    checkKubeadm(cluster, others);
    const existing = await client.get(Kinds.cluster, name, namespace);
    const isAdopted = existing !== undefined && existing.metadata.deletionTimestamp === undefined;
    const noted = isAdopted ? localPortOf(existing) : undefined;
    if (isAdopted && noted === undefined && existing.metadata.annotations?.[Annotations.unfinished] === undefined)
      throw noRegistry(existing);
    const port = noted ?? registry.port;
    if (noted !== undefined && ![0, noted].includes(registry.port))
      log.warn(
        `registry-port: the cluster exists, and its registry is ${registryHost(noted)}; ${registry.port} is ignored`,
      );
    const running = isAdopted
      ? await findRegistryTunnel(existing, port, ephemeral ? claim : undefined, runtime)
      : undefined;
    if (running === undefined) await freeRegistryPort(port, step);
    const daemon = describeOtherDaemon(runtime.env);
    if (daemon !== undefined) log.warn(daemon);
    const state = running === undefined ? 'is free' : 'is open in this job';
    return { value: undefined, result: port === 0 ? 'on a free port' : `${registryHost(port)} ${state}` };
  });
}
