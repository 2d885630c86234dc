import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { StepOptions } from '../support/runner.ts';

/** Has a command line run in another network. */
export type Wrap = NonNullable<StepOptions['wrap']>;

/** A program of test/support that runs in another network, and prints what happens, a line each. */
export class Program {
  /** Its first line: it has started. */
  readonly first: string;
  /** The lines after that. */
  readonly lines: readonly string[];
  readonly #process: ChildProcess;
  #hasClosed = false;

  private constructor(first: string, lines: readonly string[], process: ChildProcess) {
    this.first = first;
    this.lines = lines;
    this.#process = process;
  }

  /** Starts one, in the network that `wrap` names. Rejects when it ends before its first line. */
  static async start(wrap: Wrap, name: string, args: readonly string[] = []): Promise<Program> {
    const { command, args: wrapped } = wrap([process.execPath, join(import.meta.dirname, '../support', name), ...args]);
    const child = spawn(command, wrapped, { stdio: ['ignore', 'pipe', 'inherit'] });
    const all = createInterface({ input: child.stdout });
    const first = await new Promise<string>((resolve, reject) => {
      all.once('line', resolve);
      child.once('error', reject).once('exit', (code) => reject(new Error(`${name} ended with ${code ?? 'a signal'}`)));
    });
    const lines: string[] = [];
    all.on('line', (line) => lines.push(line));
    const program = new Program(first, lines, child);
    // All of its lines have come by then.
    all.once('close', () => (program.#hasClosed = true));
    return program;
  }

  /** Whether it still runs. */
  get isRunning(): boolean {
    return !this.#hasClosed;
  }

  /** Ends it, if it has not ended. */
  stop(): void {
    this.#process.kill();
  }
}
