import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '../host/host.ts';
import { run, tail, until } from '../host/process.ts';
import { helloProgram } from './hello.ts';

/** The docker daemon of a job, in the network of the job, as GitHub's own runners have it. It runs no containers. */
export class DockerDaemon {
  readonly #directory: string;
  readonly #process: ChildProcess;

  private constructor(directory: string, process: ChildProcess) {
    this.#directory = directory;
    this.#process = process;
  }

  /** Starts one, and waits until it answers. */
  static async start(place: Pick<Host, 'command'>): Promise<DockerDaemon> {
    const directory = mkdtempSync(join(tmpdir(), 'knest-docker-'));
    const of = (name: string): string => join(directory, name);
    const { command, args } = place.command([
      ...['dockerd', '--host', `unix://${of('socket')}`, '--pidfile', of('pid')],
      ...['--data-root', of('data'), '--exec-root', of('exec')],
      // It leaves the rules and the interfaces of the network as they are.
      ...['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'],
    ]);
    const log = openSync(of('log'), 'w');
    const daemon = new DockerDaemon(directory, spawn(command, args, { stdio: ['ignore', log, log] }));
    const env = { ...process.env, DOCKER_HOST: daemon.host };
    try {
      const answer = (): Promise<string | undefined> => run('docker', ['version'], { env }).catch(() => undefined);
      await until('the docker daemon answers', 120_000, answer);
      return daemon;
    } catch (thrown) {
      const text = tail(readFileSync(of('log'), 'utf8'), 20);
      await daemon.stop();
      throw new Error(`no docker daemon:\n${text}`, { cause: thrown });
    }
  }

  /** What `DOCKER_HOST` is set to for its clients. */
  get host(): string {
    return `unix://${join(this.#directory, 'socket')}`;
  }

  /** Ends it, with all that it built. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    const late = setTimeout(() => this.#process.kill('SIGKILL'), 10_000);
    if (this.#process.exitCode === null && this.#process.kill()) await ended;
    clearTimeout(late);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A repository's files for an image of the test's own server, by their paths. */
export async function imageFiles(): Promise<Readonly<Record<string, string | Buffer>>> {
  const dockerfile = 'FROM scratch\nCOPY app /app\nENTRYPOINT ["/app"]\n';
  return { Dockerfile: dockerfile, app: readFileSync(await helloProgram()) };
}
