import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { KnestError, systemCodeOf } from '../../errors.ts';
import { endBackground, identify } from '../../runner/background.ts';
import { commandOf, portHolder, portProblem, type PortHolder } from '../../runner/local-port.ts';
import type { StepLog } from '../../report/log.ts';

/** Milliseconds for which a port of a process that has ended may stay taken. */
const FREED_MILLISECONDS = 2_000;
const LOOK_MILLISECONDS = 25;

/**
 * Makes sure that a tunnel can listen on that port of localhost; 0: any. A tunnel that a job left which is over is ended.
 * Throws KNEST_INPUT when something else has the port.
 */
export async function freeRegistryPort(port: number, step: StepLog): Promise<void> {
  const problem = port === 0 ? undefined : await portProblem(port);
  if (problem === undefined) return;
  const holder = portHolder(port);
  // Before its command line is judged: another process may get its number.
  const known = holder && identify(holder.pid);
  const left = known !== undefined && isLeftTunnel(known.pid) ? known : undefined;
  if (left !== undefined && (await endBackground(left)) && (await isFreed(port))) {
    step.line(`port ${port}: ended the tunnel of an earlier job (process ${left.pid})`);
    return;
  }
  throw portTaken(port, problem, holder);
}

/** Whether a port is free within a moment: a thread of a process that has ended may still have it. */
async function isFreed(port: number): Promise<boolean> {
  for (const until = performance.now() + FREED_MILLISECONDS; performance.now() < until;) {
    if ((await portProblem(port)) === undefined) return true;
    await wait(LOOK_MILLISECONDS);
  }
  return false;
}

/** The file of settings that the action starts a tunnel with (start-tunnel.ts), in its directory below RUNNER_TEMP. */
const SETTINGS = /^\/.*\/knest[^/]*\/tunnel-[a-z0-9.-]+-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json$/;

/**
 * Whether a process is a tunnel of the action whose job is over: the files of the job are gone. In doubt it is not, since
 * it is ended then: a process in a container has other files under the same path.
 */
function isLeftTunnel(pid: number): boolean {
  const [script = '', settings = ''] = scriptOf(commandOf(pid));
  if (!script.endsWith('/dist/tunnel.js') || !SETTINGS.test(settings)) return false;
  try {
    statSync(process.platform === 'linux' ? `/proc/${pid}/root${settings}` : settings);
    return false;
  } catch (thrown) {
    return systemCodeOf(thrown) === 'ENOENT';
  }
}

/** The script that a command line of Node runs, and its arguments: what follows the options of Node. */
function scriptOf([, ...words]: readonly string[]): readonly string[] {
  const options = words.findIndex((word) => !word.startsWith('-'));
  return options === -1 ? [] : words.slice(options);
}

/** The error for a port on which nobody can listen, with the system's code for the reason. */
export function portTaken(
  port: number,
  problem: string,
  holder: PortHolder | undefined = portHolder(port),
): KnestError {
  const isTaken = problem === 'EADDRINUSE';
  const who = holder === undefined ? 'a process that this user may not see' : describe(holder);
  return new KnestError({
    code: 'KNEST_INPUT',
    problem: `registry-port: ${isTaken ? `port ${port} of this runner is taken` : `cannot listen on port ${port}: ${problem}`}`,
    evidence: isTaken ? [`${who} listens on it`] : [],
    next:
      process.platform === 'darwin'
        ? 'set registry-port to another port, or 0 for a free one; on macOS, AirPlay Receiver has port 5000'
        : 'set registry-port to another port, or 0 for a free one; the port of an existing cluster stays: end the process',
  });
}

/** A process, without its arguments: they may be secrets of others. */
function describe({ pid, command }: PortHolder): string {
  const [program = 'unknown'] = command;
  const [script = ''] = scriptOf(command);
  const isTunnel = script.endsWith('/dist/tunnel.js');
  return `process ${pid} (${basename(program)}${isTunnel ? ', a tunnel of knest-action of this or another job' : ''})`;
}
