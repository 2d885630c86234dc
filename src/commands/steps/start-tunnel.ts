import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivateFile } from '../../cluster/access/kubeconfig.ts';
import type { TunnelReady, TunnelRefusal, TunnelSettings } from '../../cluster/tunnel/settings.ts';
import { KnestError } from '../../errors.ts';
import { endBackground, identify, startBackground } from '../../runner/background.ts';
import { childEnvironment } from '../../runner/process.ts';
import type { Runtime } from '../../runtime.ts';
import { portTaken } from './registry-port.ts';
import { saveRegistryTunnel } from './registry-tunnel.ts';

/** Milliseconds within which a tunnel has to listen: it starts a process, and sends nothing to the host before. */
const START_MILLISECONDS = 20_000;
/** The problems that are shown of a tunnel. */
const SHOWN_PROBLEMS = 5;

/**
 * Starts the background process of a tunnel, and returns the ports on which it listens. The post step finds the process by
 * the saved state from the start on. Throws KNEST_API_ACCESS with its log when it does not listen, KNEST_INPUT when the
 * port for the registry is taken, and the signal's reason, without a process.
 */
export async function startTunnel(
  settings: TunnelSettings,
  { env, directory, state }: Runtime,
  signal: AbortSignal,
): Promise<TunnelReady> {
  const base = join(directory, `tunnel-${settings.name}-${randomUUID()}`);
  const [settingsFile, log] = [`${base}.json`, `${base}.log`];
  await writePrivateFile(settingsFile, JSON.stringify(settings));
  // Beside the bundle, as the post step is.
  const script = join(import.meta.dirname, 'tunnel.js');
  const child = startBackground(script, [settingsFile], { env: childEnvironment(env), log });
  const known = child.pid === undefined ? undefined : identify(child.pid);
  if (known !== undefined) state.rememberTunnel({ ...known, settingsFile, log });
  const within = AbortSignal.any([signal, AbortSignal.timeout(START_MILLISECONDS)]);
  try {
    const ended = once(child, 'exit', { signal: within }).then(() => undefined);
    const ready = once(child, 'message', { signal: within }).then(
      ([message]) => message as TunnelReady | TunnelRefusal,
    );
    // The one that loses the race rejects with the signal later.
    for (const one of [ended, ready]) one.catch(() => undefined);
    const first = await Promise.race([ready, ended]);
    if (first !== undefined && 'refused' in first) throw portTaken(settings.registryPort ?? 0, first.refused);
    if (first?.registryPort !== undefined && known !== undefined)
      await saveRegistryTunnel(settings, known, first, { directory, env });
    if (first !== undefined) return first;
  } catch (thrown) {
    child.kill();
    if (signal.aborted) throw signal.reason;
    if (!within.aborted) throw thrown;
  } finally {
    if (child.connected) child.disconnect();
    child.unref();
  }
  throw new KnestError({
    code: 'KNEST_API_ACCESS',
    problem: 'the tunnel does not start on this runner',
    evidence: linesOf(log).slice(-SHOWN_PROBLEMS),
    next: 'check that processes of this job may listen on 127.0.0.1',
  });
}

/** The problems that the tunnel of main has logged so far; none without a tunnel. */
export function problemsOfTunnel({ state }: Runtime): readonly string[] {
  const tunnel = state.recallTunnel();
  return tunnel === undefined ? [] : linesOf(tunnel.log).filter((line) => line.includes('✖'));
}

/** Ends the tunnel that main started, if any, within 3 s. The log shows the last of these problems of it. */
export async function endTunnel({ state, report: { log } }: Runtime, problems: readonly string[]): Promise<void> {
  const tunnel = state.recallTunnel();
  if (tunnel === undefined) return;
  if (problems.length > 0)
    log.section(`Last problems of the tunnel (${problems.length} in all)`, problems.slice(-SHOWN_PROBLEMS));
  await rm(tunnel.settingsFile, { force: true });
  if (!(await endBackground(tunnel))) log.warn(`the tunnel (process ${tunnel.pid}) did not end`);
}

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}
