import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { StepOptions } from '../support/runner.ts';

/** Has a command line run in another network. */
export type Wrap = NonNullable<StepOptions['wrap']>;

/** The command line of a program of test/support. */
export function supportProgram(name: string, ...args: readonly string[]): readonly string[] {
  return [process.execPath, join(import.meta.dirname, '../support', name), ...args];
}

/** A program that runs in another network, and prints what happens, a line each. */
export class Program {
  /** Its first line: it has started. */
  readonly first: string;
  /** The lines after that. */
  readonly lines: readonly string[];
  readonly #process: ChildProcess;
  /** Resolves once it has ended, and all of its lines have come. */
  readonly #closed: Promise<unknown>;
  #hasClosed = false;

  private constructor(first: string, lines: readonly string[], process: ChildProcess, closed: Promise<unknown>) {
    this.first = first;
    this.lines = lines;
    this.#process = process;
    this.#closed = closed.then(() => (this.#hasClosed = true));
  }

  /** Starts one, in the network that `wrap` names. Rejects when it ends before its first line. */
  static async start(wrap: Wrap, argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Program> {
    const { command, args } = wrap(argv);
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const all = createInterface({ input: child.stdout });
    const closed = once(all, 'close');
    const lines: string[] = [];
    const first = await new Promise<string>((resolve, reject) => {
      all.once('line', (line) => {
        resolve(line);
        // Now: several lines may come at once.
        all.on('line', (next) => lines.push(next));
      });
      const end = (code: number | null): void =>
        reject(new Error(`${argv.join(' ')} ended with ${code ?? 'a signal'}`));
      child.once('error', reject).once('exit', end);
    });
    return new Program(first, lines, child, closed);
  }

  /** Whether it still runs. */
  get isRunning(): boolean {
    return !this.#hasClosed;
  }

  /** Ends it, if it has not ended. */
  async stop(): Promise<void> {
    this.#process.kill();
    await this.#closed;
  }
}
