import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { checksumsFile } from './assets.ts';
import { authenticateBy } from './authentication.ts';
import {
  finish,
  initialise,
  startRuntime,
  unwellServices,
  killApiServer,
  withoutControlPlane,
  type Sandbox,
} from './control-plane.ts';
import { services, type Service } from './health.ts';
import { locked } from './lock.ts';
import { prepareMachines } from './machines.ts';
import { parts, type Part } from './modules.ts';
import { provision, sourcesKey } from './provisions.ts';
import { retry } from '../../src/retry.ts';
import { CommandError, run, tail } from './process.ts';
import type { Report } from './report.ts';
import {
  initProcess,
  insideNetwork,
  remains,
  removeSandbox,
  startSandbox,
  stateRoot,
  type Removed,
} from './sandbox.ts';

/** What of a host is noted in its state directory once it is complete. */
interface Notes {
  parts: Part[];
  /** A directory with the host's programs. */
  binaries: string;
  /** A file with the sums of the assets that the mirror serves. */
  checksums: string;
  /** Of what the host was made from. */
  sources: string;
}

/** The release mirror of every host, in its own network. */
const mirror = 'http://172.30.0.10:8080';

/** A host cluster that is complete. */
export class Host {
  readonly name: string;
  /** The admin's kubeconfig. Its server is in the host's network. */
  readonly kubeconfig: string;
  /** Serves the release assets, in the host's network: what the action's input `mirror` takes. */
  readonly mirror = mirror;
  /** The sums of what the mirror serves: what the input `checksums-file` takes. Not read from the mirror, over plain http. */
  readonly checksums: string;
  /** A directory with kubectl, clusterctl and other programs. */
  readonly binaries: string;
  readonly stateDirectory: string;
  /** What the host has of what it could do without. */
  readonly parts: ReadonlySet<Part>;
  readonly #sandbox: Sandbox;

  constructor(sandbox: Sandbox, notes: Notes) {
    this.name = sandbox.name;
    this.stateDirectory = sandbox.stateDirectory;
    this.kubeconfig = kubeconfigPath(sandbox.stateDirectory);
    this.binaries = notes.binaries;
    this.checksums = notes.checksums;
    this.parts = new Set(notes.parts);
    this.#sandbox = sandbox;
  }

  /** Whether the host has Virtink's images and assets. Without, only clusters of in-memory machines work. */
  get hasVirtink(): boolean {
    return this.parts.has('virtink');
  }

  /** The end of a sentence about the host: which parts it does without. */
  get shortcomings(): string {
    const missing = parts.filter((part) => !this.parts.has(part));
    return missing.length > 0 ? `, without ${missing.join(', ')}` : '';
  }

  /** The environment for commands on the host: this process's, without proxies, which its network does not reach. */
  get environment(): NodeJS.ProcessEnv {
    const own = Object.entries(process.env).filter(([name]) => !/^(https?|all)_proxy$/i.test(name));
    const path = [this.binaries, process.env['PATH'] ?? ''].join(delimiter);
    return { ...Object.fromEntries(own), KUBECONFIG: this.kubeconfig, PATH: path };
  }

  /** Returns a command line that runs `argv` in the host's network, and outside of it in every other way. */
  command(argv: readonly string[]): { command: string; args: string[] } {
    return insideNetwork(this.#sandbox.init, argv);
  }

  /** Runs a command in the host's network. Returns its standard output. */
  async run(argv: readonly string[], options: { input?: string; timeout?: number } = {}): Promise<string> {
    const { command, args } = this.command(argv);
    return run(command, args, { timeout: 120_000, ...options, env: this.environment });
  }

  /** Runs kubectl as the host's admin. Returns its standard output. `apply` waits for webhooks that are starting. */
  async kubectl(args: readonly string[], input?: string): Promise<string> {
    const runOnce = (): Promise<string> =>
      this.run([join(this.binaries, 'kubectl'), ...args], input === undefined ? {} : { input });
    if (args[0] !== 'apply') return runOnce();
    return retry(runOnce, {
      signal: new AbortController().signal,
      tries: 40, // two minutes and more
      isRetried: (thrown) => thrown instanceof CommandError && thrown.output.includes('failed calling webhook'),
    });
  }

  /** Has the API server authenticate its users by this AuthenticationConfiguration (YAML), within a minute. */
  authenticateBy(configuration: string): void {
    authenticateBy(this.stateDirectory, configuration);
  }

  /** Does `work` while the API server and what else is in the control plane are away, and waits until they are back. */
  async withoutControlPlane(work: () => Promise<void>): Promise<void> {
    await withoutControlPlane(this.#sandbox, work);
  }

  /** Kills the API server, does `work` once it is gone, and waits until there is another one. */
  async killApiServer(work: () => Promise<void>): Promise<void> {
    await killApiServer(this.#sandbox, work);
  }

  /** Asks all services once. Returns those that are not well. */
  async unwell(): Promise<Service[]> {
    return unwellServices(this.#sandbox.init, Object.keys(services) as Service[], 0);
  }
}

/** A host's state, as `status` tells it. */
export interface Status {
  state: 'well' | 'unwell' | 'incomplete' | 'absent';
  host?: Host;
  /** The services that are not well. */
  unwell: Service[];
}

/** Returns where a host keeps its state. Throws when its name is no DNS label. */
function stateDirectoryOf(name: string): string {
  if (/^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/.test(name)) return join(stateRoot, name);
  throw new Error(`"${name}" is no name for a host: at most 32 of a-z, 0-9 and "-", which is not first or last`);
}

function kubeconfigPath(stateDirectory: string): string {
  return join(stateDirectory, 'kubeconfig');
}

function notesPath(stateDirectory: string): string {
  return join(stateDirectory, 'host.json');
}

function readNotes(stateDirectory: string): Notes | undefined {
  const file = notesPath(stateDirectory);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Notes) : undefined;
}

/** Returns a host that is complete and whose init is alive, well or not. */
export function find(name: string): Host | undefined {
  const stateDirectory = stateDirectoryOf(name);
  const init = initProcess(stateDirectory);
  const notes = init && readNotes(stateDirectory);
  return init && notes && new Host({ name, stateDirectory, init }, notes);
}

/** Says what state a host is in. */
export async function status(name: string): Promise<Status> {
  const host = find(name);
  if (!host) return { state: remains(name, stateDirectoryOf(name)) ? 'incomplete' : 'absent', unwell: [] };
  const unwell = await host.unwell();
  return { state: unwell.length === 0 ? 'well' : 'unwell', host, unwell };
}

/** Does a step. Its error names the step and ends with the last lines of `logs`. */
async function step<T>(
  report: Report,
  sandbox: { stateDirectory: string },
  name: string,
  logs: readonly string[],
  work: (say: (detail: string) => void) => Promise<T>,
): Promise<T> {
  try {
    return await report.step(name, work);
  } catch (error) {
    const texts = logs.flatMap((log) => {
      const file = join(sandbox.stateDirectory, 'log', `${log}.log`);
      return existsSync(file) ? [`the end of ${file}:\n${tail(readFileSync(file, 'utf8'), 15)}`] : [];
    });
    const message = error instanceof Error ? error.message : String(error);
    throw new Error([`${name}: ${message}`, ...texts].join('\n'), { cause: error });
  }
}

async function create(name: string, wanted: ReadonlySet<Part>, report: Report): Promise<Host> {
  const stateDirectory = stateDirectoryOf(name);
  const provisions = await provision(wanted, report);
  const { binaries } = provisions;
  const place = { stateDirectory };
  const sandbox = await step(report, place, 'Sandbox', ['init'], async (say) => {
    const init = await startSandbox(name, stateDirectory, provisions);
    say(`namespaces, network and mounts below process ${init.pid}`);
    return { name, stateDirectory, init };
  });
  await step(report, place, 'Container runtime', ['containerd', 'mirror'], async (say) => {
    await startRuntime(sandbox);
    say('containerd, the mirror of releases');
  });
  await step(report, place, 'Control plane', ['kubelet', 'containerd'], async (say) => {
    await initialise(sandbox, kubeconfigPath(stateDirectory));
    say('kubeadm init');
  });
  const checksums = checksumsFile(provisions.assets);
  const notes: Notes = { parts: [...provisions.parts], binaries, checksums, sources: sourcesKey() };
  const host = new Host(sandbox, notes);
  await step(report, place, 'Node', ['kube-proxy', 'kubelet'], async (say) => {
    await finish(sandbox);
    await host.kubectl(['wait', '--for=condition=Ready', 'node/host', '--timeout=120s']);
    await host.kubectl(['apply', '-f', join(import.meta.dirname, 'pods')]);
    say('Ready');
  });
  await step(report, place, 'Machines', [], async (say) => {
    const engines = await prepareMachines((args) => host.kubectl(args), host.parts);
    say(engines.length > 0 ? `VMs of ${engines.join(' and ')} run as containers` : 'in memory only');
  });
  writeFileSync(notesPath(stateDirectory), JSON.stringify(notes));
  return host;
}

/** Which host to bring up, and how. */
export interface Options {
  name?: string;
  /** What the host does without. By default it has everything that is available. */
  without?: readonly Part[];
}

/** Does `work` while no other process brings this host up or down. */
function exclusively<T>(name: string, report: Report, work: () => Promise<T>): Promise<T> {
  const waiting = (): void => report.note(`another process is at work on ${name}: waiting for it`);
  return locked(join('/run/lock', `knest-host-${name}.lock`), waiting, work);
}

/** Brings a host up. One that is well stays as it is; what is left of a broken one is removed first. */
export async function up(options: Options, report: Report): Promise<Host> {
  const { name = 'default', without = [] } = options;
  stateDirectoryOf(name);
  if (process.getuid?.() !== 0) throw new Error('a host needs root: run the same command with sudo');
  return exclusively(name, report, async () => {
    const { state, host, unwell } = await status(name);
    if (state === 'well' && host) {
      report.note(`${name} is up and well already${host.shortcomings}`);
      if (readNotes(host.stateDirectory)?.sources !== sourcesKey()) {
        report.note('it was made from other sources than these: bring it down and up again to renew it');
      }
      return host;
    }
    if (state !== 'absent') {
      const reason = unwell.length > 0 ? `not well: ${unwell.join(', ')}` : 'incomplete';
      await report.step('Repair', async (say) => {
        await removeSandbox(name, stateDirectoryOf(name));
        say(`removed what was left of ${name} (${reason})`);
      });
    }
    return create(name, new Set(parts.filter((part) => !without.includes(part))), report);
  });
}

/** Removes a host, or whatever is left of one. Says what that was: nothing, when there is no such host. */
export async function down(name: string, report: Report): Promise<Removed> {
  const stateDirectory = stateDirectoryOf(name);
  return exclusively(name, report, () => removeSandbox(name, stateDirectory));
}
