import { spawn, type SpawnOptions } from 'node:child_process';

/** A command that did not succeed, with what it printed. */
export class CommandError extends Error {
  readonly code: number | null;
  readonly output: string;

  constructor(command: string, code: number | null, output: string, end = `ended with ${code ?? 'a signal'}`) {
    super(`${command} ${end}\n${tail(output, 20)}`.trimEnd());
    this.name = 'CommandError';
    this.code = code;
    this.output = output;
  }
}

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  input?: string;
  /** In milliseconds. A command that takes longer is killed. */
  timeout?: number;
}

/** Runs a command to its end. Returns its standard output. Throws CommandError, which has both outputs. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { input, timeout, ...rest } = options;
  const spawnOptions: SpawnOptions = { ...rest, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] };
  const child = spawn(command, args, spawnOptions);
  let stdout = '';
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  // A command that ends without reading all of its input says what is wrong by its exit code.
  child.stdin?.on('error', () => undefined).end(input);
  const watch = { late: false };
  const timer = setTimeout(
    () => {
      watch.late = true;
      child.kill('SIGKILL');
      // What it started may hold these open, and is not waited for.
      child.stdout?.destroy();
      child.stderr?.destroy();
    },
    timeout ?? 2 ** 31 - 1,
  );
  const closed = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  const code = await closed.finally(() => clearTimeout(timer));
  const shown = [command, ...args].slice(0, 12).join(' ');
  if (watch.late) throw new CommandError(shown, null, output, `did not end within ${(timeout ?? 0) / 1000} s`);
  if (code !== 0) throw new CommandError(shown, code, output);
  return stdout;
}

/** Says whether a command can be run and succeeds. */
export async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}

const longestLine = 400;

/** Returns the last lines of a text, each cut where nobody reads on: daemons log whole structures. */
export function tail(text: string, lines: number): string {
  const cut = (line: string): string => (line.length > longestLine ? `${line.slice(0, longestLine)}…` : line);
  return text.trimEnd().split('\n').slice(-lines).map(cut).join('\n');
}

/** Asks again until the answer is not undefined. `what` names the wait in the error after `timeout` milliseconds. */
export async function until<T>(what: string, timeout: number, ask: () => T | Promise<T>): Promise<NonNullable<T>> {
  const end = performance.now() + timeout;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`${what}: not within ${timeout / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
