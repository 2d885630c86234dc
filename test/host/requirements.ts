import { existsSync, mkdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run, succeeds } from './process.ts';
import type { Report } from './report.ts';

/** Debian packages, by a file or a program of each that a host needs. */
const packages: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  '/usr/lib/cni/ptp': 'containernetworking-plugins',
  nft: 'nftables',
  iptables: 'iptables',
  conntrack: 'conntrack',
  socat: 'socat',
  ip: 'iproute2',
  // For the relays of tunnels.
  haproxy: 'haproxy',
  // Pushes images to the registries of clusters.
  skopeo: 'skopeo',
  // The older major version of what serves these registries.
  'docker-registry': 'docker-registry',
  // Builds and pushes the images of workflows.
  dockerd: 'docker.io',
  docker: 'docker.io',
  // What flannel is built with.
  gcc: 'gcc',
  '/usr/include/stdio.h': 'libc6-dev',
  ethtool: 'ethtool',
  unshare: 'util-linux',
  sysctl: 'procps',
  hostname: 'hostname',
  '/usr/bin/python3': 'python3-minimal',
  '/usr/lib/python3/dist-packages/yaml/__init__.py': 'python3-yaml',
};

/** Daemons that packages start when they are installed, which nobody here needs. */
const daemons: Readonly<Record<string, readonly string[]>> = {
  containerd: ['containerd.service'],
  'docker-registry': ['docker-registry.service'],
  'docker.io': ['docker.socket', 'docker.service'],
};

const gigabyte = 1e9;

function present(program: string): boolean {
  if (program.startsWith('/')) return existsSync(program);
  const path = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
  return path.split(delimiter).some((directory) => existsSync(join(directory, program)));
}

function missingPackages(): string[] {
  const missing = Object.entries(packages).filter(([program]) => !present(program));
  return [...new Set(missing.map(([, name]) => name))];
}

/** Installs Debian packages. */
export async function installPackages(names: readonly string[], report: Report): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const install = ['install', '--yes', '--no-install-recommends', ...names];
  report.note(`installing ${names.join(' ')}`);
  try {
    await run('apt-get', install, { env });
  } catch {
    // Most likely the lists of packages are old or were never fetched.
    await run('apt-get', ['update'], { env });
    await run('apt-get', install, { env });
  }
  const units = names.flatMap((name) => daemons[name] ?? []);
  if (units.length > 0) await succeeds('systemctl', ['disable', '--now', ...units]);
}

async function goProblem(): Promise<string | undefined> {
  const text = await run('go', ['env', 'GOVERSION']).catch(() => '');
  const [, major = 0, minor = 0] = (/^go(\d+)\.(\d+)/.exec(text) ?? []).map(Number);
  if (major > 1 || (major === 1 && minor >= 26)) return undefined;
  return `Go 1.26 or later (${text.trim() || 'there is none'}): install it and put it on PATH`;
}

/** Says whether a shell script succeeds in a network of its own. */
function inNetwork(script: string): Promise<boolean> {
  return succeeds('unshare', ['--net', 'sh', '-ec', script]);
}

/** Tries what the host will do with the kernel, each in namespaces that end with the try. */
async function kernelProblems(): Promise<string[]> {
  const overlay =
    'mount -t tmpfs t /tmp; cd /tmp; mkdir u w; mount -t overlay o -o lowerdir=/etc,upperdir=u,workdir=w /etc';
  const tries: [string, Promise<boolean>][] = [
    ['namespaces (PID, mount, network, UTS, IPC)', succeeds('unshare', ['-pmnui', '--fork', 'true'])],
    ['veth pairs', inNetwork('ip link add try0 type veth peer name try1')],
    ['bridges', inNetwork('ip link add try0 type bridge')],
    ['nftables', inNetwork('nft add table inet try')],
    ['overlayfs', succeeds('unshare', ['--mount', 'sh', '-ec', overlay])],
  ];
  const problems: string[] = [];
  for (const [name, works] of tries) if (!(await works)) problems.push(`a kernel that lets root use ${name}`);
  return problems;
}

const watchLimit = '/proc/sys/fs/inotify/max_user_instances';
/** Enough for several hosts: each takes about 40 instances, the machines of its nested clusters more. */
const enoughWatches = 1024;

/** Raises the number of inotify instances: with none left, a containerd comes up without its CRI plugin. */
function raiseWatchLimit(report: Report): void {
  const limit = Number(readFileSync(watchLimit, 'utf8'));
  if (limit >= enoughWatches) return;
  try {
    writeFileSync(watchLimit, String(enoughWatches));
    report.note(`fs.inotify.max_user_instances raised from ${limit} to ${enoughWatches}`);
  } catch {
    report.note(`fs.inotify.max_user_instances is ${limit}: too few for several hosts at once`);
  }
}

/**
 * Checks what a host needs before anything is started, and installs Debian packages that are missing. `space` is the
 * free disk space in bytes that `directory` must have. Throws one error that names everything missing.
 */
export async function checkRequirements(directory: string, space: number, report: Report): Promise<string> {
  if (process.platform !== 'linux') throw new Error('a host runs on Linux only');
  if (!process.features.typescript) throw new Error(`Node ${process.version} runs no TypeScript: use Node 24`);
  if (process.getuid?.() !== 0) throw new Error('a host needs root: run the same command with sudo');
  const problems: string[] = [];
  let packageNames = missingPackages();
  if (packageNames.length > 0 && present('apt-get')) {
    // What could not be installed is named below.
    await installPackages(packageNames, report).catch((error: unknown) => report.note(String(error)));
    packageNames = missingPackages();
  }
  if (packageNames.length > 0) problems.push(`the Debian packages ${packageNames.join(' ')}: install them`);
  problems.push(...[await goProblem()].filter((problem) => problem !== undefined));
  if (packageNames.length === 0) problems.push(...(await kernelProblems()));
  raiseWatchLimit(report);
  if (!existsSync('/sys/fs/cgroup/memory') && !existsSync('/sys/fs/cgroup/cgroup.controllers')) {
    problems.push('cgroups with a memory controller below /sys/fs/cgroup');
  }
  mkdirSync(directory, { recursive: true });
  const disk = statfsSync(directory);
  const free = disk.bavail * disk.bsize;
  if (free < space) {
    const [has, needs] = [free, space].map((bytes) => (bytes / gigabyte).toFixed(1));
    problems.push(
      `${needs} GB of free disk below ${directory} (there are ${has}); KNEST_HOST_CACHE names another place`,
    );
  }
  if (problems.length > 0) throw new Error(`a host cannot be started; it needs\n  ${problems.join('\n  ')}`);
  const vxlan = await inNetwork('ip link add try0 type vxlan id 1 dstport 0');
  return vxlan ? kernelRelease() : `${kernelRelease()}, without VXLAN: no overlay network between machines`;
}

function kernelRelease(): string {
  return `Linux ${readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim()}`;
}
