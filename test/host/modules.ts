import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A program built from a Go module in modules/. */
export interface Program {
  name: string;
  /** Its module: a directory in modules/. */
  module: string;
  /** The import path of its main package, or a path in the module's directory that begins with "./". */
  package: string;
  /** About how many seconds a cold build takes on two cores, after those that come before it. */
  seconds: number;
}

/** What a host can do without. */
export const parts = [
  'virtink',
  'kubevirt',
  'in-memory',
  'persistence',
  'network',
  'older-cluster-api',
  'older-kubernetes',
] as const;

/**
 * One of them: an engine, what persistent machines need, an overlay network between machines with add-ons, a Cluster API that is
 * older than the one that the action installs, to be installed in its place, or a Kubernetes for machines of KubeVirt that
 * is older than the host's.
 */
export type Part = (typeof parts)[number];

/** The directory of a module's go.mod. */
export function moduleDirectory(module: string): string {
  return join(import.meta.dirname, 'modules', module);
}

/** Returns the version of `path` that a module's go.mod asks for, such as "v1.36.3". Throws when it is not there. */
export function version(module: string, path: string): string {
  const line = readFileSync(join(moduleDirectory(module), 'go.mod'), 'utf8')
    .split('\n')
    .map((text) =>
      text
        .trim()
        .replace(/^require /, '')
        .split(' '),
    )
    .find(([name, value]) => name === path && value?.startsWith('v'));
  if (!line?.[1]) throw new Error(`modules/${module}/go.mod does not name ${path}`);
  return line[1];
}

const clusterAPI = 'sigs.k8s.io/cluster-api';
const certManager = 'github.com/cert-manager/cert-manager/cmd';
const kubevirt = 'kubevirt.io/kubevirt';
const kubevirtProvider = 'sigs.k8s.io/cluster-api-provider-kubevirt';

function programs(module: string, packages: Record<string, readonly [path: string, seconds: number]>): Program[] {
  return Object.entries(packages).map(([name, [path, seconds]]) => ({ name, module, package: path, seconds }));
}

function kubernetes(module: string, prefix: string, seconds: Record<string, number>): Program[] {
  const packages = Object.entries(seconds).map(
    ([name, time]) => [`${prefix}${name}`, [`k8s.io/kubernetes/cmd/${name}`, time]] as const,
  );
  return programs(module, Object.fromEntries(packages));
}

/** What a machine runs of Kubernetes, with the seconds that each takes to build after those before it. */
const machineSeconds = {
  'kube-scheduler': 6,
  'kube-proxy': 8,
  kubelet: 17,
  kubeadm: 18,
  'kube-controller-manager': 55,
  'kube-apiserver': 207,
};

/** The programs that every host is made of. */
export const hostPrograms: readonly Program[] = [
  ...programs('stand-ins', { pause: ['./pause', 1], noop: ['./noop', 1], copy: ['./copy', 1], hello: ['./hello', 5] }),
  ...kubernetes('kubernetes', '', { kubectl: 16, ...machineSeconds }),
  ...programs('etcd', { etcd: ['go.etcd.io/etcd/server/v3', 26] }),
  ...programs('coredns', { coredns: ['github.com/coredns/coredns', 170] }),
  ...programs('helm', { helm: ['helm.sh/helm/v3/cmd/helm', 63] }),
  ...programs('cluster-api', {
    'kubeadm-bootstrap-manager': [`${clusterAPI}/bootstrap/kubeadm`, 6],
    'kubeadm-control-plane-manager': [`${clusterAPI}/controlplane/kubeadm`, 9],
    'core-manager': [`${clusterAPI}/core`, 41],
    clusterctl: [`${clusterAPI}/cmd/clusterctl`, 119],
  }),
  ...programs('cert-manager', {
    'cert-manager-cainjector': [`${certManager}/cainjector`, 4],
    'cert-manager-webhook': [`${certManager}/webhook`, 5],
    'cert-manager-controller': [`${certManager}/controller`, 112],
  }),
];

/** The programs of each part of a host that it can do without. */
export const partPrograms: Readonly<Record<Part, readonly Program[]>> = {
  // Stand-ins for Virtink's programs.
  virtink: programs('virtink', {
    'virt-daemon': ['./virt-daemon', 8],
    'virt-controller': ['./virt-controller', 12],
    'virtink-provider-manager': ['./provider', 40],
  }),
  'in-memory': programs('cluster-api', {
    'docker-infrastructure-manager': [`${clusterAPI}/test/infrastructure/docker`, 32],
  }),
  // The real programs of KubeVirt and its Cluster API provider, and stand-ins for those that need a hypervisor.
  kubevirt: [
    ...programs('kubevirt', {
      'container-disk': ['./container-disk', 1],
      'virt-launcher': ['./virt-launcher', 1],
      'virt-tail': [`${kubevirt}/cmd/virt-tail`, 5],
      // Renders the manifests of a release.
      'manifest-templator': [`${kubevirt}/tools/manifest-templator`, 8],
      'virt-api': [`${kubevirt}/cmd/virt-api`, 8],
      'virt-launcher-monitor': [`${kubevirt}/cmd/virt-launcher-monitor`, 10],
      'virt-operator': [`${kubevirt}/cmd/virt-operator`, 12],
      'virt-handler': ['./virt-handler', 45],
      'kubevirt-controller': [`${kubevirt}/cmd/virt-controller`, 105],
    }),
    ...programs('capk', { 'capk-manager': [kubevirtProvider, 147] }),
  ],
  // A Cluster API that others installed a while ago.
  'older-cluster-api': programs('cluster-api-older', {
    'older-bootstrap-manager': [`${clusterAPI}/bootstrap/kubeadm`, 4],
    'older-control-plane-manager': [`${clusterAPI}/controlplane/kubeadm`, 8],
    'older-core-manager': [clusterAPI, 86],
  }),
  // What a machine runs of a Kubernetes that is upgraded to the host's.
  'older-kubernetes': kubernetes('kubernetes-older', 'older-', machineSeconds),
  // A stand-in for CDI, and the address manager.
  persistence: [
    ...programs('virtink', { 'cdi-controller': ['./cdi-controller', 8] }),
    ...programs('ipam', { 'ipam-manager': ['github.com/metal3-io/ip-address-manager', 42] }),
  ],
  // flannel and the CNI plugin that it configures on a node, from the last release of the plugins that has it; add-ons;
  // and the registry that images of jobs come from.
  network: [
    ...programs('cni-plugins', { flannel: ['github.com/containernetworking/plugins/plugins/meta/flannel', 2] }),
    ...programs('flannel', { flanneld: ['github.com/flannel-io/flannel', 130] }),
    // Their go.mod has the versions of helm's, so that most packages of the first are built once for both.
    ...programs('addons', {
      'local-path-provisioner': ['github.com/rancher/local-path-provisioner', 64],
      'metrics-server': ['sigs.k8s.io/metrics-server/cmd/metrics-server', 76],
    }),
    ...programs('registry', { registry: ['github.com/distribution/distribution/v3/cmd/registry', 60] }),
  ],
};

/** Programs that tests use and no host needs. */
export const toolPrograms: readonly Program[] = [
  ...programs('act', { act: ['github.com/nektos/act', 28] }),
  // Cluster API's own code, which makes the user data of a machine.
  ...programs('cluster-api', { 'bootstrap-data': ['./bootstrap-data', 20] }),
  ...programs('actionlint', { actionlint: ['github.com/rhysd/actionlint/cmd/actionlint', 5] }),
];

/** The versions of what runs on a host, as go.mod has them where it is built from a module. */
export const versions = {
  kubernetes: version('kubernetes', 'k8s.io/kubernetes'),
  olderKubernetes: version('kubernetes-older', 'k8s.io/kubernetes'),
  etcd: version('etcd', 'go.etcd.io/etcd/server/v3'),
  clusterAPI: version('cluster-api', clusterAPI),
  olderClusterAPI: version('cluster-api-older', clusterAPI),
  certManager: version('cert-manager', 'github.com/cert-manager/cert-manager'),
  /** The releases that the stand-ins behave like, and whose assets are served. */
  virtinkProvider: 'v0.7.0',
  virtink: 'v0.15.0',
  kubevirt: version('kubevirt', kubevirt),
  kubevirtProvider: version('capk', kubevirtProvider),
  flannel: version('flannel', 'github.com/flannel-io/flannel'),
  localPath: version('addons', 'github.com/rancher/local-path-provisioner'),
  metricsServer: version('addons', 'sigs.k8s.io/metrics-server'),
  ipam: version('ipam', 'github.com/metal3-io/ip-address-manager'),
  /** A stand-in's, which says it is this one. */
  cdi: 'v1.55.2',
} as const;

/** Whether a module's programs have parts in C: on amd64, flannel has a back end that nobody here uses, but all build. */
export function needsC(module: string): boolean {
  return module === 'flannel' && process.arch === 'x64';
}

/** The linker's flags for a module. */
export function linkerFlags(module: string): string {
  if (needsC(module)) return '-s -w -linkmode external -extldflags -static';
  if (!module.startsWith('kubernetes')) return '-s -w';
  // kubeadm and the API server refuse to work with a version that is not set.
  const gitVersion = version(module, 'k8s.io/kubernetes');
  const [major, minor] = gitVersion.slice(1).split('.');
  const values = { gitVersion, gitMajor: major, gitMinor: minor };
  const flags = Object.entries(values).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value ?? ''}`,
  );
  return ['-s -w', ...flags].join(' ');
}
