import { createHash } from 'node:crypto';
import { cpSync, globSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { cacheDirectory, goEnvironment, key, once } from './binaries.ts';
import { architecture } from './images.ts';
import { moduleDirectory, versions, type Part } from './modules.ts';
import { run } from './process.ts';
import { virtinkAssetPath, virtinkAssets } from './virtink-releases.ts';

type Programs = ReadonlyMap<string, string>;

/** The manifests of a stand-in for CDI. */
const cdi = join(import.meta.dirname, 'cdi');

/** Renders the assets of releases below `root`, as `OWNER/REPOSITORY/releases/download/TAG/ASSET`. */
class Renderer {
  readonly root: string;
  readonly work: string;
  readonly programs: Programs;

  constructor(root: string, programs: Programs) {
    this.root = root;
    this.work = join(root, '.work');
    this.programs = programs;
  }

  release(repository: string, tag: string): (asset: string, content: string) => void {
    const directory = join(this.root, repository, 'releases', 'download', tag);
    mkdirSync(directory, { recursive: true });
    return (asset, content) => writeFileSync(join(directory, asset), content);
  }

  /** Copies a directory out of the module cache, which is read-only, and returns the copy. */
  async copy(module: string, path: string, directory: string): Promise<string> {
    const env = goEnvironment();
    // Programs may come from the cache while the module is not on this machine any more.
    const download = ['mod', 'download', '-json', path];
    const answer = await run('go', download, { cwd: moduleDirectory(module), env });
    const { Dir: source } = JSON.parse(answer) as { Dir: string };
    const copy = join(this.work, path, directory);
    cpSync(join(source, directory), copy, { recursive: true });
    await run('chmod', ['-R', 'u+w', copy]);
    return copy;
  }

  /** Renders a kustomization as a project's release does: with its images by name and tag, pulled if not present. */
  async kustomize(directory: string, images: Record<string, string>): Promise<string> {
    let text = await run(this.program('kubectl'), ['kustomize', directory]);
    for (const [name, reference] of Object.entries(images)) {
      const from = `image: ${name}`;
      if (!text.includes(from)) throw new Error(`${directory} has no image ${name}`);
      text = text.replaceAll(from, `image: ${reference}`);
    }
    return text.replaceAll('imagePullPolicy: Always', 'imagePullPolicy: IfNotPresent');
  }

  program(name: string): string {
    const path = this.programs.get(name);
    if (path === undefined) throw new Error(`${name} is not built`);
    return path;
  }
}

async function clusterAPI(renderer: Renderer): Promise<void> {
  const tag = versions.clusterAPI;
  const put = renderer.release('kubernetes-sigs/cluster-api', tag);
  const staging = 'gcr.io/k8s-staging-cluster-api';
  const components = [
    ['core', 'cluster-api-controller', 'core'],
    ['bootstrap/kubeadm', 'kubeadm-bootstrap-controller', 'bootstrap'],
    ['controlplane/kubeadm', 'kubeadm-control-plane-controller', 'control-plane'],
  ] as const;
  for (const [directory, image, asset] of components) {
    const config = await renderer.copy('cluster-api', 'sigs.k8s.io/cluster-api', `${directory}/config`);
    const images = { [`${staging}/${image}:main`]: `registry.k8s.io/cluster-api/${image}:${tag}` };
    put(`${asset}-components.yaml`, await renderer.kustomize(join(config, 'default'), images));
  }
  const docker = await renderer.copy('cluster-api', 'sigs.k8s.io/cluster-api/test', 'infrastructure/docker');
  const images = { [`${staging}/capd-manager:main`]: `${staging}/capd-manager:${tag}` };
  put('infrastructure-components-development.yaml', await renderer.kustomize(join(docker, 'config/default'), images));
  for (const file of globSync('templates/*.yaml', { cwd: docker })) {
    put(basename(file), readFileSync(join(docker, file), 'utf8'));
  }
  const metadata = await renderer.copy('cluster-api', 'sigs.k8s.io/cluster-api', 'metadata.yaml');
  put('metadata.yaml', readFileSync(metadata, 'utf8'));
  const name = `clusterctl-linux-${architecture}`;
  const directory = join(renderer.root, 'kubernetes-sigs/cluster-api/releases/download', tag);
  linkSync(renderer.program('clusterctl'), join(directory, name));
}

async function certManager(renderer: Renderer): Promise<void> {
  const tag = versions.certManager;
  const deploy = await renderer.copy('cert-manager', 'github.com/cert-manager/cert-manager', 'deploy');
  const chart = join(deploy, 'charts/cert-manager');
  const template = readFileSync(join(chart, 'Chart.template.yaml'), 'utf8');
  writeFileSync(join(chart, 'Chart.yaml'), template.replaceAll('v0.1.0', tag).replace('{{IS_PRERELEASE}}', 'false'));
  // As the project's own release does: the CRDs are a template of the chart, the namespace comes before all.
  const crds = globSync('crds/*.yaml', { cwd: deploy }).sort();
  const text = crds.map((file) => readFileSync(join(deploy, file), 'utf8')).join('\n---\n');
  writeFileSync(join(chart, 'templates/crds.yaml'), text);
  const values = ['creator=static', 'startupapicheck.enabled=false'].flatMap((value) => ['--set', value]);
  const place = ['--namespace', 'cert-manager', '--kube-version', versions.kubernetes];
  const rendered = await run(renderer.program('helm'), ['template', ...place, ...values, 'cert-manager', chart]);
  const namespace = readFileSync(join(deploy, 'manifests/namespace.yaml'), 'utf8');
  renderer.release('cert-manager/cert-manager', tag)('cert-manager.yaml', `${namespace}${rendered}`);
}

/** Puts the release assets of Virtink and of its provider into place: their images keep upstream's names. */
function virtink(renderer: Renderer, releases: string): void {
  for (const file of virtinkAssets) {
    const { repository, tag, asset } = file;
    renderer.release(`smartxworks/${repository}`, tag)(asset, readFileSync(virtinkAssetPath(releases, file), 'utf8'));
  }
}

/** flannel's manifest as its repository has it: OWNER/REPOSITORY/raw/TAG/PATH. Its images are those of the machines. */
async function flannel(renderer: Renderer): Promise<void> {
  const path = 'Documentation/kube-flannel.yml';
  const copy = await renderer.copy('flannel', 'github.com/flannel-io/flannel', path);
  const target = join(renderer.root, 'flannel-io/flannel/raw', versions.flannel, path);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(copy, target);
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
    join(import.meta.dirname, 'virtink-releases.ts'),
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
    if (virtinkReleases !== undefined) virtink(renderer, virtinkReleases);
    if (parts.has('network')) await flannel(renderer);
    if (parts.has('persistence')) await persistence(renderer);
    rmSync(renderer.work, { recursive: true, force: true });
    writeChecksums(temporary);
  });
  return directory;
}
