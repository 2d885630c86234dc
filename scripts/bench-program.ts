import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Host } from '../test/host/host.ts';

/** A program in the network of a host, and the first line that it printed. */
export class HostProgram {
  readonly firstLine: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, firstLine: string) {
    this.#child = child;
    this.firstLine = firstLine;
  }

  /** Starts one, and waits for its first line. Rejects with its errors when it ends before. */
  static async start(host: Host, argv: readonly string[]): Promise<HostProgram> {
    const { command, args } = host.command(argv);
    const child = spawn(command, args, { env: host.environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    const firstLine = await new Promise<string>((resolve, reject) => {
      createInterface(child.stdout).on('line', resolve);
      child.on('error', reject).on('close', () => reject(new Error(`${argv.join(' ')} ended:\n${errors}`)));
    });
    return new HostProgram(child, firstLine);
  }

  /** Whether it ended by itself. */
  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill();
    await ended;
  }
}

/** Starts `kubectl port-forward` to a port of a Deployment. Returns it with the local port on which it listens. */
export async function portForward(
  host: Host,
  { namespace, deployment, port }: { readonly namespace: string; readonly deployment: string; readonly port: number },
): Promise<{ readonly program: HostProgram; readonly port: number }> {
  const argv = ['kubectl', 'port-forward', '-n', namespace, `deployment/${deployment}`, `:${port}`];
  const program = await HostProgram.start(host, argv);
  const local = /^Forwarding from 127\.0\.0\.1:(\d+) /.exec(program.firstLine)?.[1];
  if (local === undefined) throw new Error(`kubectl port-forward printed ${program.firstLine}`);
  return { program, port: Number(local) };
}
