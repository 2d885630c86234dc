import { existsSync } from 'node:fs';
import type { OpenFarSide } from '../cluster/tunnel/carry.ts';
import { endOfUse } from '../cluster/tunnel/lifetime.ts';
import { TunnelListener } from '../cluster/tunnel/listener.ts';
import { RelayConnections } from '../cluster/tunnel/relay-connection.ts';
import { readTunnelSettings, type TunnelReady } from '../cluster/tunnel/settings.ts';
import { messageOf } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { connectSaved } from './steps/credentials.ts';

/** Problems that the log has at most. */
const MOST_PROBLEMS = 5_000;

/**
 * The background process of a tunnel: listens on 127.0.0.1 and carries each connection to the relay of a cluster. Ends
 * when the signal aborts, or once nobody can need it. `settingsFile`: see TunnelSettings. `log` writes a line to its log.
 */
export async function tunnel(settingsFile: string, log: (line: string) => void, runtime: Runtime): Promise<void> {
  const settings = readTunnelSettings(settingsFile);
  const { namespace, uid } = settings;
  const { signal } = runtime.clock;
  const { client } = await connectSaved(settings.host, 'the saved credentials', runtime, { wasReached: true });
  const relay = new RelayConnections(client, namespace, uid);
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
  const listener = new TunnelListener(open, onProblem);
  process.send?.({ port: await listener.listen() } satisfies TunnelReady);
  log('▸ listening');
  try {
    // The job may still need it: its post step shows lines with this sign.
    log(`✖ ended: ${await endOfUse(client, settings, () => existsSync(settingsFile), signal)}`);
  } catch (thrown) {
    log(`${signal.aborted ? '▸' : '✖'} ended: ${messageOf(thrown)}`);
  } finally {
    listener.close();
  }
}
