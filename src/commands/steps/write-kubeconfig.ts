import { join } from 'node:path';
import { findAccess, type Access } from '../../cluster/access/find-access.ts';
import { kubeconfigText, readKubeconfig, secretsOf, writePrivateFile } from '../../cluster/access/kubeconfig.ts';
import { probe } from '../../cluster/access/probe.ts';
import type { Kubeconfig } from '../../cluster/access/nested-kubeconfig.ts';
import type { ClusterHandle } from '../../cluster/identity/cluster-handle.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { AccessInputs } from '../../inputs.ts';
import type { SavedHost } from '../../post-state.ts';
import type { StepLog } from '../../report/log.ts';
import type { Runtime, Secrets } from '../../runtime.ts';
import { noteHost } from './nested-host.ts';
import type { JobTunnel } from './open-tunnel.ts';

/** How this job reaches a nested cluster. */
export interface HandedOver {
  readonly server: string;
  /** The text of the kubeconfig. */
  readonly kubeconfig: string;
}

/**
 * Writes the kubeconfig that works from this job, and returns it with the address in it. Secrets are masked before they
 * leave. `host` is how later steps find back from it. `access` is the way that has worked already, if any.
 */
export async function handOverKubeconfig(
  client: KubernetesClient,
  cluster: ClusterHandle,
  host: SavedHost,
  inputs: AccessInputs,
  tunnel: JobTunnel,
  runtime: Runtime,
  access?: Access,
): Promise<HandedOver> {
  return runtime.report.log.step('Kubeconfig', async (step) => {
    const isUsable = access !== undefined && (await answers(access, cluster, runtime));
    const { kubeconfig, route, reason } = isUsable
      ? access
      : await reachCluster(client, cluster, inputs, tunnel, step, runtime);
    const text = kubeconfigText(kubeconfig, cluster);
    const path = join(runtime.directory, `${cluster.name}.kubeconfig`);
    await writePrivateFile(path, text);
    await noteHost(cluster, host, runtime.directory);
    runtime.outputs.set('server', route.server);
    runtime.outputs.set('kubeconfig-path', path);
    runtime.outputs.set('kubeconfig', text);
    if (inputs.setKubeconfig) runtime.outputs.exportVariable('KUBECONFIG', path);
    const value = { server: route.server, kubeconfig: text };
    return { value, result: `${reason}; answers; written to ${path}` };
  });
}

/** Whether the API server still answers by a way that was found: nodes may have been awaited since. */
async function answers(
  { kubeconfig }: Access,
  cluster: ClusterHandle,
  { clock: { signal } }: Runtime,
): Promise<boolean> {
  return (await probe(kubeconfigText(kubeconfig, cluster), signal)) === undefined;
}

/** Finds a way from this job to the nested API server; opens a tunnel when it is asked for, or nothing else works. */
export async function reachCluster(
  client: KubernetesClient,
  cluster: ClusterHandle,
  inputs: Pick<AccessInputs, 'apiAccess' | 'apiHost'>,
  tunnel: JobTunnel,
  step: StepLog,
  runtime: Runtime,
): Promise<Access> {
  const { env, clock } = runtime;
  const { signal } = clock;
  const theirs = await readMasked(client, cluster, runtime.secrets, signal, (line) => step.line(line));
  return findAccess(client, cluster, theirs, inputs, {
    env,
    signal,
    onWait: (line) => step.line(line),
    openTunnel: async () => tunnel.open(step, signal),
  });
}

/** The kubeconfig that the control plane provider writes, waited for as by `readKubeconfig`, once its secrets are masked. */
export async function readMasked(
  client: KubernetesClient,
  cluster: ClusterHandle,
  { mask }: Pick<Secrets, 'mask'>,
  signal: AbortSignal,
  onWait?: (line: string) => void,
): Promise<Kubeconfig> {
  const kubeconfig = await readKubeconfig(client, cluster, signal, onWait);
  for (const secret of secretsOf(kubeconfig)) mask(secret);
  return kubeconfig;
}
