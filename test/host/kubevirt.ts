import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Image } from './archive.ts';
import { machineEntries, manager, program, type Programs } from './image-entries.ts';
import { versions } from './modules.ts';
import { run } from './process.ts';
import type { Renderer } from './renderer.ts';

const { kubevirt: tag, kubevirtProvider: providerTag } = versions;

/** The node image for KubeVirt of a Kubernetes version. */
function nodeImage(version: string): string {
  return `quay.io/capk/ubuntu-2404-container-disk:${version}`;
}

/** The one of the host's Kubernetes. */
export const kubevirtNodeImage = nodeImage(versions.kubernetes);
/** The one of the older Kubernetes, on hosts that have that. */
export const olderKubevirtNodeImage = nodeImage(versions.olderKubernetes);

/** Renders a manifest of KubeVirt's release as its own build does: first what it includes, then its variables. */
async function manifest(renderer: Renderer, directory: string, name: string): Promise<string> {
  const template = (file: string, ...args: string[]): Promise<string> =>
    // It reads the logo in any case, whatever that is.
    run(renderer.program('manifest-templator'), [`--input-file=${file}`, `--kubevirt-logo-path=${file}`, ...args]);
  const input = join(directory, 'release', `${name}.in`);
  const complete = await template(
    input,
    '--process-files',
    `--generated-manifests-dir=${join(directory, 'generated')}`,
  );
  writeFileSync(`${input}.tmp`, complete);
  return template(
    `${input}.tmp`,
    '--process-vars',
    '--namespace=kubevirt',
    '--container-prefix=quay.io/kubevirt',
    `--container-tag=${tag}`,
    '--image-pull-policy=IfNotPresent',
  );
}

/** Renders the assets of KubeVirt's release and of its Cluster API provider's. */
export async function renderKubevirt(renderer: Renderer): Promise<void> {
  const directory = await renderer.copy('kubevirt', 'kubevirt.io/kubevirt', 'manifests');
  const put = renderer.release('kubevirt/kubevirt', tag);
  for (const name of ['kubevirt-operator.yaml', 'kubevirt-cr.yaml'])
    put(name, await manifest(renderer, directory, name));

  const copy = (path: string): Promise<string> =>
    renderer.copy('capk', 'sigs.k8s.io/cluster-api-provider-kubevirt', path);
  const putProvider = renderer.release('kubernetes-sigs/cluster-api-provider-kubevirt', providerTag);
  const images = { '127.0.0.1:5000/capk-manager:dev': `quay.io/capk/capk-manager:${providerTag}` };
  const components = await renderer.kustomize(join(await copy('config'), 'default'), images);
  putProvider('infrastructure-components.yaml', components);
  putProvider('metadata.yaml', readFileSync(await copy('metadata.yaml'), 'utf8'));
  const templates = await copy('templates');
  for (const file of globSync('*.yaml', { cwd: templates })) {
    putProvider(basename(file), readFileSync(join(templates, file), 'utf8'));
  }
}

/** The images of KubeVirt and of its Cluster API provider, by upstream's names. */
export function kubevirtImages(programs: Programs): Image[] {
  const image = (name: string, built = name): Image => ({
    references: [`quay.io/kubevirt/${name}:${tag}`],
    entrypoint: [`/usr/bin/${name}`],
    user: '1001',
    entries: [program(programs, built, `/usr/bin/${name}`)],
  });
  const tool = (name: string, path: string): Image['entries'][number] => program(programs, name, `/usr/bin/${path}`);
  return [
    image('virt-operator'),
    image('virt-api'),
    image('virt-controller', 'kubevirt-controller'),
    { ...image('virt-handler'), user: '' },
    {
      references: [`quay.io/kubevirt/virt-launcher:${tag}`],
      entrypoint: ['/usr/bin/virt-launcher-monitor'],
      environment: ['PATH=/knest:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin'],
      entries: [
        ...machineEntries(),
        ...['virt-launcher-monitor', 'virt-launcher', 'virt-tail', 'container-disk'].map((name) => tool(name, name)),
        // Its pods put container-disk on a volume, and virt-handler's asks a shell what the processor can do.
        tool('copy', 'cp'),
        tool('noop', 'sh'),
        { path: '/knest/node-usr', directory: true },
      ],
    },
    manager(programs, 'capk-manager', '/manager', `quay.io/capk/capk-manager:${providerTag}`),
    ...[versions.kubernetes, versions.olderKubernetes].map(diskImage),
  ];
}

/** A node image: a container needs no disk; a file names the Kubernetes that would be on it. */
function diskImage(version: string): Image {
  return {
    references: [nodeImage(version)],
    entrypoint: ['/'],
    entries: [
      { path: '/disk', directory: true },
      { path: '/disk/none.img', text: '' },
      { path: '/disk/kubernetes', text: version },
    ],
  };
}
