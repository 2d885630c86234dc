import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** A process that outlives the step that started it, told from a later one with the same number by its start. */
export interface BackgroundProcess {
  readonly pid: number;
  /** As the system has it: only to be compared. */
  readonly startTime: string;
}

/** Milliseconds that a process has to end after SIGTERM, and after SIGKILL. */
const TERM_MILLISECONDS = 2_000;
const KILL_MILLISECONDS = 1_000;
const LOOK_MILLISECONDS = 25;

/**
 * Has V8 collect young garbage often. Each packet leaves buffers behind, which count for little until they are collected: with
 * the default of 16, a tunnel takes 50 MiB more.
 */
const V8_OPTIONS = ['--max-semi-space-size=1'];

/**
 * Starts a program of Node that runs on when this process ends. It has a separate session, no standard input, and only
 * the file `log` to write errors to: one that inherits standard output would keep the step open. It may send messages
 * until `disconnect`.
 */
export function startBackground(
  script: string,
  args: readonly string[],
  { env, log }: { readonly env: Readonly<Record<string, string>>; readonly log: string },
): ChildProcess {
  const file = openSync(log, 'a', 0o600);
  try {
    return spawn(process.execPath, [...V8_OPTIONS, script, ...args], {
      cwd: '/',
      detached: true,
      env,
      stdio: ['ignore', 'ignore', file, 'ipc'],
    });
  } finally {
    closeSync(file);
  }
}

/** A process by its number; undefined when it has ended, also when nobody has asked how. */
export function identify(pid: number): BackgroundProcess | undefined {
  try {
    const [state = '', startTime = ''] = process.platform === 'linux' ? statOfProc(pid) : statOfPs(pid);
    return state.startsWith('Z') || startTime === '' ? undefined : { pid, startTime };
  } catch {
    return undefined;
  }
}

/** State and start, in ticks since the start of the machine. Source: man 5 proc. */
function statOfProc(pid: number): readonly string[] {
  // The name, in parentheses, may have anything in it.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return [fields[0] ?? '', fields[19] ?? ''];
}

function statOfPs(pid: number): readonly string[] {
  const text = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8', timeout: 2_000 });
  const [state = '', ...start] = text.trim().split(/\s+/);
  return [state, start.join(' ')];
}

/** Ends a process, and no other one that has its number by now. Resolves whether it has ended, after 3 s at most. */
export async function endBackground(known: BackgroundProcess): Promise<boolean> {
  const isThere = (): boolean => identify(known.pid)?.startTime === known.startTime;
  for (const [signal, milliseconds] of [
    ['SIGTERM', TERM_MILLISECONDS],
    ['SIGKILL', KILL_MILLISECONDS],
  ] as const) {
    if (!isThere()) return true;
    send(known.pid, signal);
    for (const until = performance.now() + milliseconds; isThere() && performance.now() < until;) {
      await wait(LOOK_MILLISECONDS);
    }
  }
  return !isThere();
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended.
  }
}
