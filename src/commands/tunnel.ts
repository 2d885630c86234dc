import { existsSync } from 'node:fs';
import type { OpenFarSide } from '../cluster/tunnel/carry.ts';
import { registryPod } from '../cluster/registry/registry.ts';
import { endOfUse } from '../cluster/tunnel/lifetime.ts';
import { TunnelListener } from '../cluster/tunnel/listener.ts';
import { PodConnections } from '../cluster/tunnel/pod-connection.ts';
import { relayPod } from '../cluster/tunnel/relay.ts';
import {
  readTunnelSettings,
  type TunnelReady,
  type TunnelRefusal,
  type TunnelSettings,
} from '../cluster/tunnel/settings.ts';
import { messageOf, systemCodeOf } from '../errors.ts';
import type { KubernetesClient } from '../host/api/client.ts';
import type { Pod } from '../host/api/objects.ts';
import type { Runtime } from '../runtime.ts';
import { connectSaved } from './steps/credentials.ts';

/** Problems that the log has at most. */
const MOST_PROBLEMS = 5_000;

/**
 * The background process of a tunnel: listens on 127.0.0.1 and carries each connection to the relay of a cluster,
 * and on the port of its registry to that. Ends when the signal aborts, or once nobody can need it. `settingsFile`: see TunnelSettings. `log` writes a line to its log.
 */
export async function tunnel(settingsFile: string, log: (line: string) => void, runtime: Runtime): Promise<void> {
  const settings = readTunnelSettings(settingsFile);
  const { name, namespace, uid } = settings;
  const { signal } = runtime.clock;
  const { client } = await connectSaved(settings.host, 'the saved credentials', runtime, { wasReached: true });
  const relay = new PodConnections(client, relayPod(name, namespace, uid));
  let hasAnswered = false;
  let [written, last] = [0, ''];
  const onProblem = (problem: string): void => {
    // While the nested API server starts, each connection to it ends like this.
    if (!hasAnswered && problem === last) return;
    last = problem;
    // A client that tries again and again must not fill the disk.
    if (written++ < MOST_PROBLEMS) log(hasAnswered ? `✖ ${problem}` : `▸ not yet: ${problem}`);
  };
  const open: OpenFarSide = (events, gone) => {
    const onData = (chunk: Buffer): void => {
      hasAnswered = true;
      events.onData(chunk);
    };
    return relay.open({ ...events, onData }, gone);
  };
  const registry = registryListener(client, settings, onProblem);
  const registryPort = await listenForRegistry(registry, settings);
  const listener = new TunnelListener(open, onProblem);
  const port = await listener.listen();
  process.send?.({ port, ...(registryPort !== undefined && { registryPort }) } satisfies TunnelReady);
  log('▸ listening');
  try {
    // The job may still need it: its post step shows lines with this sign.
    log(`✖ ended: ${await endOfUse(client, settings, () => existsSync(settingsFile), signal)}`);
  } catch (thrown) {
    log(`${signal.aborted ? '▸' : '✖'} ended: ${messageOf(thrown)}`);
  } finally {
    listener.close();
    registry.close();
  }
}

/** Carries connections to the registry of the cluster. Another pod than before comes without its images: that is logged. */
function registryListener(
  client: KubernetesClient,
  { name, namespace, uid }: TunnelSettings,
  onProblem: (problem: string) => void,
): TunnelListener {
  let known: string | undefined;
  const onPod = ({ metadata }: Pod): void => {
    if (known !== undefined && known !== metadata.uid)
      onProblem(`the registry restarted as pod ${metadata.name} and is empty: push the images again`);
    known = metadata.uid;
  };
  const pods = new PodConnections(client, registryPod(name, namespace, uid), onPod);
  return new TunnelListener((events, gone) => pods.open(events, gone), onProblem);
}

/** Resolves the port on which it listens, if any. Tells main when it cannot, and rejects. */
async function listenForRegistry(
  listener: TunnelListener,
  { registryPort }: TunnelSettings,
): Promise<number | undefined> {
  if (registryPort === undefined) return undefined;
  try {
    return await listener.listenOnLocalhost(registryPort);
  } catch (thrown) {
    process.send?.({ refused: systemCodeOf(thrown) } satisfies TunnelRefusal);
    throw thrown;
  }
}
