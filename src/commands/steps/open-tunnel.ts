import { createDependents } from '../../cluster/lifecycle/apply.ts';
import type { ClusterHandle } from '../../cluster/identity/cluster-handle.ts';
import { relayManifest, relayName, relayPod } from '../../cluster/tunnel/relay.ts';
import { checkPod } from '../../cluster/tunnel/pod-connection.ts';
import { waitForHostPod } from '../../cluster/tunnel/host-pod-wait.ts';
import type { TunnelReady, TunnelUse } from '../../cluster/tunnel/settings.ts';
import { KnestError } from '../../errors.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { conditionOf } from '../../host/api/objects.ts';
import { checkPermissions } from '../../permissions/check-permissions.ts';
import { permissionsOf } from '../../permissions/permissions.ts';
import type { StepLog } from '../../report/log.ts';
import type { Runtime } from '../../runtime.ts';
import { startTunnel } from './start-tunnel.ts';

/** What a tunnel takes beside its cluster. */
export interface TunnelParts extends TunnelUse {
  /** The tunnel that this step started for a registry: it leads to the relay, too. */
  readonly running?: TunnelReady | undefined;
}

/** The one tunnel of this job to a cluster, opened when it is first needed. */
export class JobTunnel {
  readonly #client: KubernetesClient;
  readonly #cluster: ClusterHandle;
  readonly #image: string;
  readonly #parts: TunnelParts;
  readonly #runtime: Runtime;
  #opened: Promise<string> | undefined;

  /** `image`: that of the relay. */
  constructor(client: KubernetesClient, cluster: ClusterHandle, image: string, parts: TunnelParts, runtime: Runtime) {
    this.#client = client;
    this.#cluster = cluster;
    this.#image = image;
    this.#parts = parts;
    this.#runtime = runtime;
  }

  /**
   * Makes the relay of the cluster on the host, unless it has one, and starts a tunnel to it; once, unless a try fails.
   * Returns the address at which this job reaches the nested API server. Errors: KNEST_API_ACCESS, KNEST_PERMISSION,
   * KNEST_OWNED_BY_OTHER.
   */
  async open(step: StepLog, signal: AbortSignal): Promise<string> {
    this.#opened ??= this.#open(step, signal).catch((thrown: unknown) => {
      this.#opened = undefined;
      throw thrown;
    });
    return this.#opened;
  }

  async #open(step: StepLog, signal: AbortSignal): Promise<string> {
    const { name, namespace } = this.#cluster;
    const client = this.#client.until(signal);
    await checkPermissions(client, permissionsOf('kubeconfig', namespace, ['tunnel']));
    const cluster = await client.get(Kinds.cluster, name, namespace);
    if (cluster === undefined)
      throw new KnestError({ code: 'KNEST_API_ACCESS', problem: `Cluster ${namespace}/${name} is gone` });
    step.line(`relay: ${await makeRelay(client, cluster, this.#image, signal)}`);
    const { uid = '' } = cluster.metadata;
    const pod = relayPod(name, namespace, uid);
    await waitForHostPod(client, pod, signal);
    await checkPod(client, pod, signal);
    const { running, ...parts } = this.#parts;
    const { port } = running ?? (await startTunnel({ name, namespace, uid, ...parts }, this.#runtime, signal));
    return `https://127.0.0.1:${port}`;
  }
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
