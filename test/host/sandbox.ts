import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupDirectories, makeCgroups, removeCgroups, shareCpu } from './cgroups.ts';
import { run, tail, until } from './process.ts';
import { type Service } from './health.ts';

/** Where hosts keep their state: a directory each. */
export const stateRoot = '/var/lib/knest-host';

/** A process as one that can be told from a later one with the same PID. */
export interface Process {
  pid: number;
  /** In clock ticks since the machine's boot. */
  startTime: string;
}

const initScript = join(import.meta.dirname, 'sandbox', 'init.sh');

/** The fields of a process's stat from the third on: its state, its parent, and more. */
function statFields(pid: number): string[] | undefined {
  try {
    // The name, in parentheses, may hold anything: count from behind it.
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return undefined; // it has ended meanwhile
  }
}

/** Returns when a process was started. One that has ended has no such time, even if nobody has asked how it ended. */
function startTime(pid: number): string | undefined {
  const fields = statFields(pid);
  return fields?.[0] === 'Z' ? undefined : fields?.[19];
}

/** Says whether a process is still there, and not another one with its PID. */
export function alive(process: Process): boolean {
  return startTime(process.pid) === process.startTime;
}

/** Returns a host's init process as it noted itself, if that is alive. */
export function initProcess(stateDirectory: string): Process | undefined {
  const file = join(stateDirectory, 'init');
  if (!existsSync(file)) return undefined;
  const [pid = '', time = ''] = readFileSync(file, 'utf8').trim().split(' ');
  const init = { pid: Number(pid), startTime: time };
  return time && alive(init) ? init : undefined;
}

/** The processes that run a host's init script, known by their arguments: init itself and the unshare that made it. */
function initProcesses(stateDirectory: string): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .flatMap((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        const script = words.findIndex((word) => word.endsWith('/sandbox/init.sh'));
        const time = startTime(pid);
        return script >= 0 && words[script + 1] === stateDirectory && time ? [{ pid, startTime: time }] : [];
      } catch {
        return []; // it has ended meanwhile
      }
    });
}

/** What a sandbox is given of the cache. */
export interface Provisions {
  binaries: string;
  /** Image stores: the host's own, and that of each of its machines. */
  images: string;
  machineImages: string;
  assets: string;
}

/** Starts a host's init process in namespaces of its own, and waits until mounts and network are made. */
export async function startSandbox(host: string, stateDirectory: string, provisions: Provisions): Promise<Process> {
  mkdirSync(join(stateDirectory, 'log'), { recursive: true, mode: 0o700 });
  makeCgroups(host);
  await run('mkfifo', [join(stateDirectory, 'start')]);
  const log = openSync(join(stateDirectory, 'log', 'init.log'), 'a');
  const { binaries, images, machineImages, assets } = provisions;
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--fork', '--kill-child=SIGKILL'];
  const args = [stateDirectory, binaries, images, machineImages, assets, process.execPath];
  const child = spawn('unshare', [...namespaces, '/bin/bash', initScript, ...args], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
  });
  closeSync(log);
  child.unref();
  let failed = false;
  child.on('exit', () => (failed = true)).on('error', () => (failed = true));
  const text = (): string => readFileSync(join(stateDirectory, 'log', 'init.log'), 'utf8');
  await until('the host’s init', 60_000, () => {
    if (failed) throw new Error(`the host's init ended:\n${tail(text(), 10)}`);
    return text().split('\n').includes('ready');
  });
  const init = initProcess(stateDirectory);
  if (!init) throw new Error(`the host's init ended:\n${tail(text(), 10)}`);
  shareCpu(host, init.pid);
  return init;
}

/** Starts one of the services init.sh knows. */
export function startService(stateDirectory: string, service: Service): void {
  writeFileSync(join(stateDirectory, 'start'), `${service}\n`);
}

/** Returns a command line that runs a command inside a host, in all its namespaces. */
export function inside(init: Process, command: readonly string[]): { command: string; args: string[] } {
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--wd=/'];
  return { command: 'nsenter', args: [`--target=${init.pid}`, ...namespaces, '--', ...command] };
}

/** Returns a command line that runs a command in a host's network, and outside of it in every other way. */
export function insideNetwork(init: Process, command: readonly string[]): { command: string; args: string[] } {
  return { command: 'nsenter', args: [`--net=/proc/${init.pid}/ns/net`, '--', ...command] };
}

/** How many processes a host has: its init and all below it. */
function processesOf(init: Process): number {
  const children = new Map<number, number[]>();
  for (const pid of readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)) {
    const parent = Number(statFields(pid)?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const count = (pid: number): number => (children.get(pid) ?? []).reduce((sum, child) => sum + count(child), 1);
  return count(init.pid);
}

/** What was removed of a host. */
export interface Removed {
  /** How many, with which its mounts and network went. */
  processes: number;
  /** How many, of a hierarchy each. */
  cgroups: number;
  /** Their directory. */
  files?: string;
}

/** Ends a host whatever state it is in: its processes, and with them mounts and network; then cgroups and files. */
export async function removeSandbox(host: string, stateDirectory: string): Promise<Removed> {
  const init = initProcess(stateDirectory);
  const found = [...initProcesses(stateDirectory), ...(init ? [init] : [])];
  const processes = init ? processesOf(init) : found.length;
  for (const member of found) kill(member);
  // The kernel keeps a PID namespace's init until the last process in it is gone.
  const left = (): boolean => found.some(alive) || initProcesses(stateDirectory).length > 0;
  await until('the end of the host’s processes', 60_000, () => !left());
  const cgroups = cgroupDirectories(host).length;
  await removeCgroups(host);
  const files = existsSync(stateDirectory) ? { files: stateDirectory } : {};
  rmSync(stateDirectory, { recursive: true, force: true, maxRetries: 3 });
  return { processes, cgroups, ...files };
}

function kill(found: Process): void {
  try {
    if (alive(found)) process.kill(found.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has ended meanwhile
  }
}

/** Says whether anything is left of a host. */
export function remains(host: string, stateDirectory: string): boolean {
  return existsSync(stateDirectory) || cgroupDirectories(host).length > 0 || initProcesses(stateDirectory).length > 0;
}
