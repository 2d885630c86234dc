import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REGISTRY_IMAGE } from '../../src/catalog/registry-image.ts';
import { RELAY_IMAGE } from '../../src/catalog/relay-image.ts';
import { addonImages } from './addon-images.ts';
import { archive, type Entry, type Image } from './archive.ts';
import { cacheDirectory, key } from './binaries.ts';
import { machineEntries, manager, program, type Programs } from './image-entries.ts';
import { iptables, libraries } from './iptables.ts';
import { kubevirtImages } from './kubevirt.ts';
import { versions, type Part } from './modules.ts';

/** A Kubernetes that machines run, and what its kubeadm asks for by name. */
interface Release {
  version: string;
  /** What the names of its programs begin with. */
  prefix: string;
  pause: string;
  etcd: string;
  coredns: string;
}

const release: Release = {
  version: versions.kubernetes,
  prefix: '',
  pause: '3.10.2',
  etcd: '3.6.8-0',
  coredns: 'v1.14.2',
};
const olderRelease: Release = {
  version: versions.olderKubernetes,
  prefix: 'older-',
  pause: '3.10.1',
  etcd: '3.6.6-0',
  coredns: 'v1.13.1',
};

/** The image of the container that holds a pod's namespaces. */
export const pauseImage = `registry.k8s.io/pause:${release.pause}`;

/** Go's and the image specification's name for this machine's processor. */
export const architecture = process.arch === 'x64' ? 'amd64' : process.arch;

function controlPlane(programs: Programs, { version, prefix, etcd }: Release): Image[] {
  const names = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
  return [
    {
      references: [`registry.k8s.io/etcd:${etcd}`],
      entrypoint: ['/usr/local/bin/etcd'],
      entries: [program(programs, 'etcd', '/usr/local/bin/etcd')],
    },
    ...names.map((name) => ({
      references: [`registry.k8s.io/${name}:${version}`],
      entrypoint: [`/usr/local/bin/${name}`],
      entries: [program(programs, `${prefix}${name}`, `/usr/local/bin/${name}`)],
    })),
  ];
}

function node(programs: Programs, tables: readonly Entry[], { version, prefix, pause, coredns }: Release): Image[] {
  return [
    {
      references: [`registry.k8s.io/pause:${pause}`],
      entrypoint: ['/pause'],
      entries: [program(programs, 'pause', '/pause')],
    },
    {
      references: [`registry.k8s.io/kube-proxy:${version}`],
      entrypoint: ['/usr/local/bin/kube-proxy'],
      environment: ['PATH=/usr/local/bin:/usr/sbin:/usr/bin'],
      entries: [program(programs, `${prefix}kube-proxy`, '/usr/local/bin/kube-proxy'), ...tables],
    },
    {
      references: [`registry.k8s.io/coredns/coredns:${coredns}`],
      entrypoint: ['/coredns'],
      entries: [program(programs, 'coredns', '/coredns')],
    },
  ];
}

/** The name of the official image of haproxy, without the digest, which an image made here does not have. */
export const relayImage = RELAY_IMAGE.replace(/@.*$/, '');

/** This machine's haproxy, for the relay of a tunnel. */
function relay(): Image {
  const file = realpathSync('/usr/sbin/haproxy');
  return {
    references: [relayImage],
    entrypoint: ['/usr/local/bin/haproxy'],
    entries: [{ path: '/usr/local/bin/haproxy', file }, ...libraries(file).map((path) => ({ path, file: path }))],
  };
}

/** The name of the official image of distribution, without the digest. */
export const registryImage = REGISTRY_IMAGE.replace(/@.*$/, '');

function registry(programs: Programs): Image {
  return {
    references: [registryImage],
    entrypoint: ['/usr/local/bin/registry'],
    entries: [program(programs, 'registry', '/usr/local/bin/registry')],
  };
}

/** The images of a Cluster API, by the names of its programs. */
function kubeadmClusterAPI(programs: Programs, tag: string, names: readonly [string, string, string]): Image[] {
  const images = ['cluster-api-controller', 'kubeadm-bootstrap-controller', 'kubeadm-control-plane-controller'];
  return images.map((image, index) =>
    manager(programs, names[index] ?? '', '/manager', `registry.k8s.io/cluster-api/${image}:${tag}`),
  );
}

function providers(programs: Programs): Image[] {
  const { clusterAPI, certManager } = versions;
  const names = ['core-manager', 'kubeadm-bootstrap-manager', 'kubeadm-control-plane-manager'] as const;
  return [
    ...kubeadmClusterAPI(programs, clusterAPI, names),
    ...['controller', 'webhook', 'cainjector'].map((name) =>
      manager(
        programs,
        `cert-manager-${name}`,
        `/app/cmd/${name}/${name}`,
        `quay.io/jetstack/cert-manager-${name}:${certManager}`,
      ),
    ),
  ];
}

function olderClusterAPI(programs: Programs): Image[] {
  const names = ['older-core-manager', 'older-bootstrap-manager', 'older-control-plane-manager'] as const;
  return kubeadmClusterAPI(programs, versions.olderClusterAPI, names);
}

function inMemory(programs: Programs): Image[] {
  const reference = `gcr.io/k8s-staging-cluster-api/capd-manager:${versions.clusterAPI}`;
  // Its manifest wants the Docker socket of root.
  return [{ ...manager(programs, 'docker-infrastructure-manager', '/manager', reference), user: '' }];
}

function persistence(programs: Programs): Image[] {
  const { ipam, cdi } = versions;
  return [
    manager(programs, 'ipam-manager', '/manager', `quay.io/metal3-io/ip-address-manager:${ipam}`),
    manager(programs, 'cdi-controller', '/cdi-controller', `quay.io/kubevirt/cdi-controller:${cdi}`),
    ...['operator', 'apiserver', 'uploadproxy'].map((name) =>
      manager(programs, 'pause', '/pause', `quay.io/kubevirt/cdi-${name}:${cdi}`),
    ),
  ];
}

function virtink(programs: Programs): Image[] {
  const { virtink: tag, virtinkProvider } = versions;
  const image = (name: string, entry: string, path: string): Image => ({
    references: [`docker.io/smartxworks/${name}`],
    entrypoint: [path],
    entries: [program(programs, entry, path)],
  });
  return [
    {
      ...image(`cluster-api-provider-virtink:${virtinkProvider}`, 'virtink-provider-manager', '/manager'),
      user: '65532',
    },
    {
      ...image(`virt-controller:${tag}`, 'virt-controller', '/usr/bin/virt-controller'),
      environment: ['PATH=/usr/bin', `PRERUNNER_IMAGE=docker.io/smartxworks/virt-prerunner:${tag}`],
    },
    image(`virt-daemon:${tag}`, 'virt-daemon', '/usr/bin/virt-daemon'),
    {
      references: [`docker.io/smartxworks/virt-prerunner:${tag}`],
      entrypoint: ['/knest/boot'],
      environment: [
        'PATH=/knest:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin',
        'KNEST_CLOUD_INIT=/mnt/cloud-init',
        'KNEST_DISK=/mnt/rootfs',
      ],
      entries: machineEntries(),
    },
    // There is no metrics endpoint to guard here.
    { ...image('', 'pause', '/pause'), references: ['gcr.io/kubebuilder/kube-rbac-proxy:v0.11.0'], user: '65532' },
    // A container needs neither a kernel nor a root file system, so there is nothing for these to write.
    {
      ...image('', 'noop', '/noop'),
      references: [
        'docker.io/smartxworks/capch-kernel-5.15.12:latest',
        `docker.io/smartxworks/capch-rootfs-${versions.kubernetes.slice(1)}:latest`,
      ],
    },
  ];
}

/** Archives of images, by what runs them. */
export interface Images {
  /** A host: its control plane, and what can be installed on it. */
  host: string[];
  /** A machine of a nested cluster. */
  machine: string[];
}

/** Tells a file from a later one at the same path. In the cache there is none: its paths name what they are made from. */
function contentKey(file: string): string {
  if (file.startsWith(cacheDirectory)) return file;
  const { size, mtimeMs } = statSync(file);
  return `${file} ${size} ${mtimeMs}`;
}

/** Writes the archive of an image into the cache, unless it is there. Returns its path. */
function write(image: Image): string {
  const content = image.entries.map((entry) => ('file' in entry ? contentKey(entry.file) : ''));
  const source = readFileSync(join(import.meta.dirname, 'archive.ts'));
  const name = (image.references[0] ?? '').replace(/^.*\//, '').replace(':', '_');
  const file = `${name}-${key(source, JSON.stringify(image), ...content)}.tar`;
  const path = join(cacheDirectory, 'images', file);
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.${process.pid}`, archive(image, architecture));
    renameSync(`${path}.${process.pid}`, path);
  }
  return path;
}

/** Writes the archives of the images that kubeadm runs into the cache, unless they are there. Returns their paths. */
export function writeKubeadmImages(programs: Programs): string[] {
  return kubernetesImages(programs, iptables(), release).map(write);
}

function kubernetesImages(programs: Programs, tables: readonly Entry[], one: Release): Image[] {
  return [...node(programs, tables, one), ...controlPlane(programs, one)];
}

/** Writes the archives of all images into the cache, unless they are there. `programs` are paths by name. */
export function writeImages(programs: Programs, parts: ReadonlySet<Part>): Images {
  const tables = iptables();
  const nodes = kubernetesImages(programs, tables, release);
  const machine = [
    ...nodes,
    ...(parts.has('older-kubernetes') ? kubernetesImages(programs, tables, olderRelease) : []),
    ...(parts.has('network') ? addonImages(programs, tables) : []),
  ];
  const host = [
    ...nodes,
    ...providers(programs),
    relay(),
    ...(parts.has('network') ? [registry(programs)] : []),
    ...(parts.has('virtink') ? virtink(programs) : []),
    ...(parts.has('kubevirt') ? kubevirtImages(programs) : []),
    ...(parts.has('in-memory') ? inMemory(programs) : []),
    ...(parts.has('older-cluster-api') ? olderClusterAPI(programs) : []),
    ...(parts.has('persistence') ? persistence(programs) : []),
  ];
  return { host: host.map(write), machine: machine.map(write) };
}
