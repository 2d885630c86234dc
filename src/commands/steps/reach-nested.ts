import { kubeconfigText } from '../../cluster/access/kubeconfig.ts';
import type { ClusterHandle } from '../../cluster/identity/cluster-handle.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { connectPlain } from '../../host/connect.ts';
import type { Connection } from '../../host/connection.ts';
import type { ReachInputs } from '../../inputs.ts';
import type { StepLog } from '../../report/log.ts';
import type { Runtime } from '../../runtime.ts';
import { keepCredentials } from './credentials.ts';
import { JobTunnel } from './open-tunnel.ts';
import { reachCluster } from './write-kubeconfig.ts';

/** A nested cluster that a command enters itself. */
export interface ReachedCluster {
  readonly nested: KubernetesClient;
  /** The text of a kubeconfig with the route that works. */
  readonly kubeconfig: string;
  /** Which route that is and why, for people. */
  readonly reason: string;
}

/**
 * Reaches the API server of a nested cluster for this command alone. The post step ends a tunnel, if it took one. Errors:
 * KNEST_API_ACCESS, KNEST_PERMISSION, KNEST_OWNED_BY_OTHER.
 */
export async function reachNested(
  host: Connection,
  inputs: ClusterHandle & ReachInputs,
  step: StepLog,
  runtime: Runtime,
): Promise<ReachedCluster> {
  const { client } = host;
  const { saved } = await keepCredentials(host, inputs.name, runtime.directory);
  runtime.state.rememberHost(saved);
  const tunnel = new JobTunnel(client, inputs, inputs.relayImage, { host: saved }, runtime);
  const access = await reachCluster(client, inputs, inputs, tunnel, step, runtime);
  const kubeconfig = kubeconfigText(access.kubeconfig, inputs);
  return { nested: connectPlain(kubeconfig, runtime.clock.signal), kubeconfig, reason: access.reason };
}
