import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';

/** How a child process ended, and all it wrote. */
export interface ProcessResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program without a shell, quietly; secrets travel in files, never in `args`. `stop` ends it early. */
export type RunProcess = (
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  stop?: AbortSignal,
) => Promise<ProcessResult>;

/** Milliseconds that a process group has to end after SIGTERM; a cancelled main has 5 s in all. */
const TERM_MILLISECONDS = 2_000;
/** Milliseconds between two looks at a process group that is to end. */
const LOOK_MILLISECONDS = 50;
/** Milliseconds to read the rest of the output once a program has ended: a process that it left may keep it open. */
const DRAIN_MILLISECONDS = 1_000;

/** What programs need to find files, other programs and the network: nothing that is a secret of the job. */
const BASIC =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TMP|TEMP|TZ|LANG|LC_\w+|SSL_CERT_(?:FILE|DIR)|(?:https?|all|no)_proxy)$/i;

/** The part of the job's environment that every program gets. The inputs and tokens of the job are not part of it. */
export function basicEnvironment(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && BASIC.test(entry[0])),
  );
}

/** The whole environment of the job but for the inputs, for a program that the user of the host chose. */
export function childEnvironment(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !/^INPUT_/i.test(entry[0]),
    ),
  );
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/**
 * Runs programs until the signal aborts. Then a program ends together with every process that it started, and the run
 * rejects with the signal's reason. Standard input is empty: a program that asks for a password fails instead of waiting.
 * Rejects with Node's own error when a program cannot be started.
 *
 * This is Node's spawn, since @actions/exec cannot start a process group: a program that is ended alone leaves what it
 * started, which keeps running on a runner that serves more than one job.
 */
export function processRunner(signal: AbortSignal): RunProcess {
  return async (program, args, env, stop = signal) => {
    const ended = AbortSignal.any([signal, stop]);
    ended.throwIfAborted();
    const child = spawn(program, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    const stopped = Promise.withResolvers<undefined>();
    const end = (): void => stopped.resolve(undefined);
    ended.addEventListener('abort', end, { once: true });
    try {
      const result = await Promise.race([resultOf(child), stopped.promise]);
      if (result !== undefined) return result;
    } finally {
      ended.removeEventListener('abort', end);
    }
    await endGroup(child);
    throw ended.reason;
  };
}

/** How a program ends, and all that it writes. */
async function resultOf(child: Child): Promise<ProcessResult> {
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
    child.once('exit', () => setTimeout(resolve, DRAIN_MILLISECONDS).unref());
  });
  child.stdout.destroy();
  child.stderr.destroy();
  return { exitCode: exitCodeOf(child), stdout: stdout.join(''), stderr: stderr.join('') };
}

/** The pieces of a stream so far; it grows as long as the stream does. */
function collect(stream: Readable): readonly string[] {
  const pieces: string[] = [];
  stream.setEncoding('utf8').on('data', (piece: string) => pieces.push(piece));
  return pieces;
}

/** The exit code as a shell reports it: 128 and the number of the signal that ended the program. */
function exitCodeOf({ exitCode, signalCode }: Child): number {
  return exitCode ?? 128 + (signalCode === null ? 0 : constants.signals[signalCode]);
}

/** Ends the group of a program. Resolves when nothing of it is left, or once it cannot be asked more firmly. */
async function endGroup(child: Child): Promise<void> {
  const until = performance.now() + TERM_MILLISECONDS;
  send(child, 'SIGTERM');
  // A group that is gone gets no further signal: another one may have its number by then.
  while (send(child, 0)) {
    if (performance.now() < until) await wait(LOOK_MILLISECONDS);
    else return void send(child, 'SIGKILL');
  }
}

/** Sends a signal to the whole group of a program. Returns whether anything of the group is left. */
function send({ pid }: Child, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(-pid, signal);
  } catch {
    return false; // ESRCH: the group is gone
  }
}
