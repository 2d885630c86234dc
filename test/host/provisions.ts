import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assetFiles, renderAssets } from './assets.ts';
import { binaryPath, buildAll, cacheDirectory, gather, key } from './binaries.ts';
import { imageStore } from './image-store.ts';
import { writeImages } from './images.ts';
import { hostPrograms, partPrograms, versions, type Part, type Program } from './modules.ts';
import { checkRequirements } from './requirements.ts';
import type { Report } from './report.ts';
import type { Provisions } from './sandbox.ts';
import { findVirtinkReleases } from './virtink-releases.ts';

/** Everything a host is made of, in the cache. */
export interface HostProvisions extends Provisions {
  /** What the host has of what it could do without. */
  parts: ReadonlySet<Part>;
}

/** The programs on the PATH of a host, its machines and commands run in its network. */
const commandNames = ['clusterctl', 'helm', 'kube-proxy', 'kubeadm', 'kubectl', 'kubelet'];

/** Free disk space in bytes that a host needs, and that a first build of everything and its images needs besides. */
const space = { host: 3e9, build: 17e9 };

/** Returns a hash of what hosts are made from, to tell a host that was made from something else. */
export function sourcesKey(): string {
  const files = globSync(['*.ts', '{cdi,kubevirt,machine,manifests,pods,sandbox}/*', 'modules/**/go.sum'], {
    cwd: import.meta.dirname,
  });
  const contents = files.sort().map((file) => readFileSync(join(import.meta.dirname, file)));
  return key(...contents);
}

async function built(programs: readonly Program[]): Promise<boolean> {
  const paths = await Promise.all(programs.map(binaryPath));
  return paths.every((path) => existsSync(path));
}

/**
 * Returns what a host has when it has no Virtink. Its machines are the only ones with disks, and machines in memory have
 * no network. They take Virtink's place where its assets are missing, and where no other engine is asked for.
 */
export function withoutVirtink(wanted: ReadonlySet<Part>): ReadonlySet<Part> {
  const rest = new Set(wanted);
  for (const part of ['virtink', 'persistence'] as const) rest.delete(part);
  if (!rest.has('kubevirt')) for (const part of ['network', 'older-kubernetes'] as const) rest.delete(part);
  if (wanted.has('virtink') || rest.size === 0) rest.add('in-memory');
  return rest;
}

/** The programs of machines with the older Kubernetes: a path on their PATH, and the name of what is built. */
function olderCommands(parts: ReadonlySet<Part>): [path: string, name: string][] {
  if (!parts.has('older-kubernetes')) return [];
  return ['kubeadm', 'kubelet'].map((name) => [`${versions.olderKubernetes}/${name}`, `older-${name}`]);
}

/** Makes what a host is made of, as far as it is not in the cache, and checks that this machine can run one. */
export async function provision(wanted: ReadonlySet<Part>, report: Report): Promise<HostProvisions> {
  await report.step('Requirements', async (say) => {
    // Without Go nothing can be told to be built: that is for the requirements to name.
    const isBuilt = await built(hostPrograms).catch(() => false);
    const needed = space.host + (isBuilt ? 0 : space.build);
    say(await checkRequirements(cacheDirectory, needed, report));
  });
  const { programs, parts, virtinkReleases } = await report.step('Programs', async (say) => {
    const releases = wanted.has('virtink') ? await findVirtinkReleases() : { problem: 'not asked for' };
    const virtinkReleases = 'directory' in releases ? releases.directory : undefined;
    const parts = virtinkReleases === undefined ? withoutVirtink(wanted) : wanted;
    const programs = await buildAll([...hostPrograms, ...[...parts].flatMap((part) => partPrograms[part])], report);
    const virtink = 'problem' in releases ? `without Virtink (${releases.problem})` : 'with stand-ins for Virtink';
    say(`${programs.size}, ${virtink}, ${parts.has('kubevirt') ? 'with' : 'without'} KubeVirt`);
    return { programs, parts, virtinkReleases };
  });
  const assets = await report.step('Release assets', async (say) => {
    const directory = await renderAssets(programs, parts, virtinkReleases);
    const files = assetFiles(directory);
    say(`${files.length} files of ${new Set(files.map((file) => file.split('/', 2).join('/'))).size} projects`);
    return directory;
  });
  return report.step('Images', async (say) => {
    const { host, machine } = writeImages(programs, parts);
    const images = await imageStore(host);
    const machineImages = await imageStore(machine);
    say(`${host.length}, and ${machine.length} of each machine`);
    const commands = [...commandNames.map((name) => [name, name]), ...olderCommands(parts)].map(
      ([path = '', name = '']): [string, string] => [path, programs.get(name) ?? ''],
    );
    return { binaries: await gather('commands', new Map(commands)), images, machineImages, assets, parts };
  });
}
