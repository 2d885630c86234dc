import { join } from 'node:path';
import { findAccess } from '../../cluster/access/try-routes.ts';
import { kubeconfigText, readKubeconfig, secretsOf, writePrivateFile } from '../../cluster/access/kubeconfig.ts';
import type { ClusterHandle } from '../../cluster/identity/cluster-handle.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { AccessInputs } from '../../inputs.ts';
import type { SavedHost } from '../../post-state.ts';
import type { Runtime } from '../../runtime.ts';
import { noteHost } from './nested-host.ts';

/**
 * Writes the kubeconfig that works from this job, and returns the address in it. Secrets are masked before they leave.
 * `host` is how later steps find back from it.
 */
export async function handOverKubeconfig(
  client: KubernetesClient,
  cluster: ClusterHandle,
  host: SavedHost,
  inputs: AccessInputs,
  runtime: Runtime,
): Promise<string> {
  return runtime.report.log.step('Kubeconfig', async (step) => {
    const theirs = await readKubeconfig(client, cluster, runtime.clock.signal);
    for (const secret of secretsOf(theirs)) runtime.secrets.mask(secret);
    const {
      env,
      clock: { signal },
    } = runtime;
    const access = { env, signal, onWait: (line: string): void => step.line(line) };
    const { kubeconfig, route, reason } = await findAccess(client, cluster, theirs, inputs, access);
    const text = kubeconfigText(kubeconfig, cluster);
    const path = join(runtime.directory, `${cluster.name}.kubeconfig`);
    await writePrivateFile(path, text);
    await noteHost(cluster, host, runtime.directory);
    runtime.outputs.set('server', route.server);
    runtime.outputs.set('kubeconfig-path', path);
    runtime.outputs.set('kubeconfig', text);
    if (inputs.setKubeconfig) runtime.outputs.exportVariable('KUBECONFIG', path);
    return { value: route.server, result: `${reason}; answers; written to ${path}` };
  });
}
