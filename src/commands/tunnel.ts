import { existsSync } from 'node:fs';
import type { OpenFarSide } from '../cluster/tunnel/carry.ts';
import { registryPod } from '../cluster/registry/registry.ts';
import { endOfUse } from '../cluster/tunnel/lifetime.ts';
import { TunnelListener } from '../cluster/tunnel/listener.ts';
import { PodConnections } from '../cluster/tunnel/pod-connection.ts';
import { watchHostPod } from '../cluster/tunnel/host-pod-watch.ts';
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
 * The background process of a tunnel: listens on 127.0.0.1 and carries each connection to the relay of a cluster; listens
 * on the port for its registry, if any, and carries each connection to that. Ends when the signal aborts, or once nobody
 * can need it. `settingsFile`: see TunnelSettings. `log` writes a line to its log.
 */
export async function tunnel(settingsFile: string, log: (line: string) => void, runtime: Runtime): Promise<void> {
  const settings = readTunnelSettings(settingsFile);
  const { name, namespace, uid } = settings;
  const { signal } = runtime.clock;
  const { client } = await connectSaved(settings.host, 'the saved credentials', runtime, { wasReached: true });
  const relay = new PodConnections(client, relayPod(name, namespace, uid));
  let written = 0;
  const write = (line: string): void => {
    // A client that tries again and again must not fill the disk.
    if (written++ < MOST_PROBLEMS) log(line);
  };
  const onProblem = (problem: string): void => write(`✖ ${problem}`);
  let hasAnswered = false;
  let last = '';
  const onRelayProblem = (problem: string): void => {
    if (hasAnswered) onProblem(problem);
    // While the nested API server starts, each connection to it ends like this.
    else if (problem !== last) write(`▸ not yet: ${problem}`);
    last = problem;
  };
  const open: OpenFarSide = (events, gone) => {
    const onData = (chunk: Buffer): void => {
      hasAnswered = true;
      events.onData(chunk);
    };
    return relay.open({ ...events, onData }, gone);
  };
  const registry = registryOf(client, settings, onProblem);
  const registryPort = await listenForRegistry(registry.listener, settings);
  const listener = new TunnelListener(open, onRelayProblem);
  const port = await listener.listen();
  process.send?.({ port, ...(registryPort !== undefined && { registryPort }) } satisfies TunnelReady);
  log('▸ listening');
  try {
    if (registryPort !== undefined) void registry.watch(signal);
    // The job may still need it: its post step shows lines with this sign.
    log(`✖ ended: ${await endOfUse(client, settings, () => existsSync(settingsFile), signal)}`);
  } catch (thrown) {
    log(`${signal.aborted ? '▸' : '✖'} ended: ${messageOf(thrown)}`);
  } finally {
    listener.close();
    registry.listener.close();
  }
}

/** The end of a registry in this job. */
interface RegistryEnd {
  /** Carries connections to it. */
  readonly listener: TunnelListener;
  /** Looks at its pod now and then, until the signal aborts. Never rejects. */
  readonly watch: (signal: AbortSignal) => Promise<void>;
}

/** The end of a cluster's registry. Another pod than before comes without its images: that is logged. */
function registryOf(
  client: KubernetesClient,
  { name, namespace, uid }: TunnelSettings,
  onProblem: (problem: string) => void,
): RegistryEnd {
  const target = registryPod(name, namespace, uid);
  let known: string | undefined;
  const onPod = ({ metadata }: Pod): void => {
    if (known !== undefined && known !== metadata.uid)
      onProblem(`the registry restarted as pod ${metadata.name} and is empty: push the images again`);
    known = metadata.uid;
  };
  const pods = new PodConnections(client, target, onPod);
  return {
    listener: new TunnelListener((events, gone) => pods.open(events, gone), onProblem),
    watch: (signal) => watchHostPod(client, target, { onPod, onProblem }, signal),
  };
}

/** Resolves the port on which it listens, if any. Reports to main when it cannot, and rejects. */
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
