import { createHash } from 'node:crypto';
import { globSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { cacheDirectory, key, once } from './binaries.ts';
import type { Programs } from './image-entries.ts';
import { certManager } from './cert-manager.ts';
import { architecture } from './images.ts';
import { renderKubevirt } from './kubevirt.ts';
import { versions, type Part } from './modules.ts';
import { Renderer } from './renderer.ts';
import { virtinkAssetPath, virtinkAssets } from './virtink-releases.ts';

/** Where the manifests of Cluster API's sources have their images. */
const staging = 'gcr.io/k8s-staging-cluster-api';

/** The manifests of a stand-in for CDI. */
const cdi = join(import.meta.dirname, 'cdi');

/** Renders core, kubeadm bootstrap and kubeadm control plane of a Cluster API. `core` is the directory of its core. */
async function kubeadmClusterAPI(renderer: Renderer, module: string, tag: string, core: string): Promise<void> {
  const put = renderer.release('kubernetes-sigs/cluster-api', tag);
  const components = [
    [core, 'cluster-api-controller', 'core'],
    ['bootstrap/kubeadm', 'kubeadm-bootstrap-controller', 'bootstrap'],
    ['controlplane/kubeadm', 'kubeadm-control-plane-controller', 'control-plane'],
  ] as const;
  for (const [directory, image, asset] of components) {
    const config = await renderer.copy(module, 'sigs.k8s.io/cluster-api', join(directory, 'config'));
    const images = { [`${staging}/${image}:main`]: `registry.k8s.io/cluster-api/${image}:${tag}` };
    put(`${asset}-components.yaml`, await renderer.kustomize(join(config, 'default'), images));
  }
  const metadata = await renderer.copy(module, 'sigs.k8s.io/cluster-api', 'metadata.yaml');
  put('metadata.yaml', readFileSync(metadata, 'utf8'));
}

async function clusterAPI(renderer: Renderer): Promise<void> {
  const tag = versions.clusterAPI;
  await kubeadmClusterAPI(renderer, 'cluster-api', tag, 'core');
  const put = renderer.release('kubernetes-sigs/cluster-api', tag);
  const docker = await renderer.copy('cluster-api', 'sigs.k8s.io/cluster-api/test', 'infrastructure/docker');
  const images = { [`${staging}/capd-manager:main`]: `${staging}/capd-manager:${tag}` };
  put('infrastructure-components-development.yaml', await renderer.kustomize(join(docker, 'config/default'), images));
  for (const file of globSync('templates/*.yaml', { cwd: docker })) {
    put(basename(file), readFileSync(join(docker, file), 'utf8'));
  }
  const name = `clusterctl-linux-${architecture}`;
  const directory = join(renderer.root, 'kubernetes-sigs/cluster-api/releases/download', tag);
  linkSync(renderer.program('clusterctl'), join(directory, name));
}

/** Puts the release assets of Virtink and of its provider into place: their images keep upstream's names. */
function virtink(renderer: Renderer, releases: string): void {
  for (const file of virtinkAssets) {
    const { repository, tag, asset } = file;
    renderer.release(`smartxworks/${repository}`, tag)(asset, readFileSync(virtinkAssetPath(releases, file), 'utf8'));
  }
}

/** flannel's manifest as its repository has it. Its images are those of the machines. */
async function flannel(renderer: Renderer): Promise<void> {
  const path = 'Documentation/kube-flannel.yml';
  const copy = await renderer.copy('flannel', 'github.com/flannel-io/flannel', path);
  renderer.file('flannel-io/flannel', versions.flannel, path, copy);
}

/** The manifests of add-ons: a file of a repository, and an asset that its project renders. */
async function addons(renderer: Renderer): Promise<void> {
  const path = 'deploy/local-path-storage.yaml';
  const copy = await renderer.copy('addons', 'github.com/rancher/local-path-provisioner', path);
  renderer.file('rancher/local-path-provisioner', versions.localPath, path, copy);
  const manifests = await renderer.copy('addons', 'sigs.k8s.io/metrics-server', 'manifests');
  const put = renderer.release('kubernetes-sigs/metrics-server', versions.metricsServer);
  put('components.yaml', await renderer.kustomize(join(manifests, 'overlays/release'), {}));
}

async function persistence(renderer: Renderer): Promise<void> {
  const manager = 'github.com/metal3-io/ip-address-manager';
  const config = await renderer.copy('ipam', manager, 'config');
  const image = 'quay.io/metal3-io/ip-address-manager';
  renderer.release('metal3-io/ip-address-manager', versions.ipam)(
    'ipam-components.yaml',
    await renderer.kustomize(join(config, 'default'), { [`${image}:main`]: `${image}:${versions.ipam}` }),
  );
  const put = renderer.release('kubevirt/containerized-data-importer', versions.cdi);
  for (const file of ['cdi-operator.yaml', 'cdi-cr.yaml']) {
    put(file, readFileSync(join(cdi, file), 'utf8').replaceAll('@VERSION@', versions.cdi));
  }
}

/** The file with the sums of all assets below `root`, as sha256sum writes it there. */
export function checksumsFile(root: string): string {
  return join(root, 'SHA256SUMS');
}

function writeChecksums(root: string): void {
  const lines = assetFiles(root).map((file) => {
    const digest = createHash('sha256')
      .update(readFileSync(join(root, file)))
      .digest('hex');
    return `${digest}  ./${file}\n`;
  });
  writeFileSync(checksumsFile(root), lines.join(''));
}

/** The paths of all assets below `root`: those of releases, and files of repositories. */
export function assetFiles(root: string): string[] {
  return globSync(['*/*/releases/download/*/*', '*/*/raw/*/**'], { cwd: root, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

/**
 * Renders the release assets that the mirror serves into the cache, unless they are there. `virtinkReleases` is the
 * directory of Virtink's, if there is one. Returns the directory of all.
 */
export async function renderAssets(
  programs: Programs,
  parts: ReadonlySet<Part>,
  virtinkReleases: string | undefined,
): Promise<string> {
  const sources = [
    import.meta.filename,
    ...['cert-manager.ts', 'kubevirt.ts', 'renderer.ts', 'virtink-releases.ts'].map((file) =>
      join(import.meta.dirname, file),
    ),
    ...globSync(join(cdi, '*')),
  ].map((file) => readFileSync(file));
  const directory = join(
    cacheDirectory,
    'assets',
    key(...sources, JSON.stringify([...programs]), virtinkReleases ?? ''),
  );
  await once(directory, async (temporary) => {
    const renderer = new Renderer(temporary, programs);
    await clusterAPI(renderer);
    await certManager(renderer);
    if (parts.has('older-cluster-api')) {
      await kubeadmClusterAPI(renderer, 'cluster-api-older', versions.olderClusterAPI, '.');
    }
    if (virtinkReleases !== undefined) virtink(renderer, virtinkReleases);
    if (parts.has('kubevirt')) await renderKubevirt(renderer);
    // Machines in memory take it, too, though no pod of it runs there.
    await flannel(renderer);
    if (parts.has('network')) await addons(renderer);
    if (parts.has('persistence')) await persistence(renderer);
    rmSync(renderer.work, { recursive: true, force: true });
    writeChecksums(temporary);
  });
  return directory;
}
