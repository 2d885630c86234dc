import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './process.ts';

/** The cgroup hierarchies of this machine: one a controller (v1), one for all (v2), or both. */
function hierarchies(): { path: string; v2: boolean }[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, path, type]) => path?.startsWith('/sys/fs/cgroup') && (type === 'cgroup' || type === 'cgroup2'))
    .map(([, path = '', type]) => ({ path, v2: type === 'cgroup2' }));
}

/** The name of the cgroup everything in a host's pods is in, so that two kubelets never clean up each other's. */
export function cgroupName(host: string): string {
  return `knest-host-${host}`;
}

/**
 * How much CPU a host gets on a busy machine, in proportion to one process outside of it. By default, all of its pods
 * together would get as much as that one process, and its controllers would lose their leases.
 */
const CPU_WEIGHT = 4;

/** Makes a host's cgroup in every hierarchy: its kubelet wants it there. */
export function makeCgroups(host: string): void {
  for (const { path, v2 } of hierarchies()) {
    if (v2 && path === '/sys/fs/cgroup') {
      const controllers = readFileSync(join(path, 'cgroup.controllers'), 'utf8').trim().split(' ');
      writeFileSync(join(path, 'cgroup.subtree_control'), controllers.map((name) => `+${name}`).join(' '));
    }
    const group = join(path, cgroupName(host));
    mkdirSync(group, { recursive: true });
    const [weight, usual] = v2 ? ['cpu.weight', 100] : ['cpu.shares', 1024];
    if (existsSync(join(group, weight))) writeFileSync(join(group, weight), String(usual * CPU_WEIGHT));
    // A v1 cpuset begins empty, and no process can enter it.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (!v2 && existsSync(join(path, file))) writeFileSync(join(group, file), readFileSync(join(path, file), 'utf8'));
    }
  }
}

/**
 * Puts a process of a host, and those that it starts from now on, into the host's share of the CPU. With cgroup v2 only
 * pods can be in it, since a group with groups in it has no processes.
 */
export function shareCpu(host: string, pid: number): void {
  for (const { path, v2 } of hierarchies()) {
    const group = join(path, cgroupName(host));
    if (!v2 && existsSync(join(group, 'cpu.shares'))) writeFileSync(join(group, 'cgroup.procs'), String(pid));
  }
}

/** The directories of a host's cgroups that there are. */
export function cgroupDirectories(host: string): string[] {
  return hierarchies()
    .map(({ path }) => join(path, cgroupName(host)))
    .filter((path) => existsSync(path));
}

function removeTree(directory: string): boolean {
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory() && !removeTree(join(directory, entry.name))) return false;
    }
    rmdirSync(directory);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return true;
    if (code === 'EBUSY') return false; // a killed process is still on its way out
    throw error;
  }
}

/** Removes a host's cgroups, deepest first, as the last of its processes end. */
export async function removeCgroups(host: string): Promise<void> {
  for (const directory of cgroupDirectories(host)) {
    await until(`removing ${directory}`, 60_000, () => removeTree(directory));
  }
}
