import { createDependents } from '../../cluster/lifecycle/apply.ts';
import type { ClusterHandle } from '../../cluster/identity/cluster-handle.ts';
import { relayManifest, relayName } from '../../cluster/tunnel/relay.ts';
import { waitForRelay } from '../../cluster/tunnel/relay-wait.ts';
import type { TunnelSettings } from '../../cluster/tunnel/settings.ts';
import { KnestError } from '../../errors.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { conditionOf } from '../../host/api/objects.ts';
import type { StepLog } from '../../report/log.ts';
import type { Runtime } from '../../runtime.ts';
import { startTunnel } from './start-tunnel.ts';

/**
 * Makes the relay of a cluster on the host, unless it has one, and starts a tunnel to it. Returns the address at which this
 * job reaches the nested API server. Errors: KNEST_API_ACCESS, KNEST_PERMISSION, KNEST_OWNED_BY_OTHER.
 */
export async function openTunnel(
  client: KubernetesClient,
  { name, namespace }: ClusterHandle,
  image: string,
  more: Pick<TunnelSettings, 'host' | 'claim'>,
  step: StepLog,
  runtime: Runtime,
): Promise<string> {
  const { signal } = runtime.clock;
  const cluster = await client.get(Kinds.cluster, name, namespace);
  if (cluster === undefined)
    throw new KnestError({ code: 'KNEST_API_ACCESS', problem: `Cluster ${namespace}/${name} is gone` });
  step.line(`relay: ${await makeRelay(client, cluster, image, signal)}`);
  const { uid = '' } = cluster.metadata;
  await waitForRelay(client, { name, namespace, uid }, signal);
  const port = await startTunnel({ name, namespace, uid, ...more }, runtime);
  return `https://127.0.0.1:${port}`;
}

/** Creates the relay, and says what it did. One that is there is used as it is, unless it is not available: an image may have been wrong. */
async function makeRelay(
  client: KubernetesClient,
  cluster: Cluster,
  image: string,
  signal: AbortSignal,
): Promise<string> {
  const { name, namespace = '' } = cluster.metadata;
  const wanted = relayManifest(cluster, image);
  const created = await createDependents(client, [wanted], cluster, { name, namespace }, signal);
  const title = `Deployment ${namespace}/${relayName(name)}`;
  if (created > 0) return `${title} created`;
  const relay = await client.get(Kinds.deployment, relayName(name), namespace);
  const images = relay?.spec?.template?.spec?.containers?.map((container) => container.image) ?? [];
  if (images.includes(image) || conditionOf(relay, 'Available')?.status === 'True') return `${title} is there`;
  await client.patch(Kinds.deployment, relayName(name), namespace, { spec: wanted.spec });
  return `${title} gets another image`;
}
