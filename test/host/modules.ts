import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A program built from a Go module in modules/. */
export interface Program {
  name: string;
  /** Its module: a directory in modules/. */
  module: string;
  /** The import path of its main package, or a path in the module's directory that begins with "./". */
  package: string;
}

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

function programs(module: string, packages: Record<string, string>): Program[] {
  return Object.entries(packages).map(([name, path]) => ({ name, module, package: path }));
}

function kubernetes(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, `k8s.io/kubernetes/cmd/${name}`]));
}

/** The programs a host is made of, in the order in which they are built. */
export const hostPrograms: readonly Program[] = [
  ...programs('stand-ins', { pause: './pause', noop: './noop', copy: './copy', hello: './hello' }),
  ...programs(
    'kubernetes',
    kubernetes(
      'kube-apiserver',
      'kube-controller-manager',
      'kube-scheduler',
      'kubelet',
      'kubeadm',
      'kube-proxy',
      'kubectl',
    ),
  ),
  ...programs('etcd', { etcd: 'go.etcd.io/etcd/server/v3', etcdctl: 'go.etcd.io/etcd/etcdctl/v3' }),
  ...programs('coredns', { coredns: 'github.com/coredns/coredns' }),
  ...programs('helm', { helm: 'helm.sh/helm/v3/cmd/helm' }),
  ...programs('cluster-api', {
    clusterctl: `${clusterAPI}/cmd/clusterctl`,
    'core-manager': `${clusterAPI}/core`,
    'kubeadm-bootstrap-manager': `${clusterAPI}/bootstrap/kubeadm`,
    'kubeadm-control-plane-manager': `${clusterAPI}/controlplane/kubeadm`,
    'docker-infrastructure-manager': `${clusterAPI}/test/infrastructure/docker`,
  }),
  ...programs('cert-manager', {
    'cert-manager-controller': `${certManager}/controller`,
    'cert-manager-webhook': `${certManager}/webhook`,
    'cert-manager-cainjector': `${certManager}/cainjector`,
  }),
];

/** The stand-ins for Virtink's programs and for CDI, and the address manager of persistent machines. */
export const virtinkPrograms: readonly Program[] = [
  ...programs('virtink', {
    'virtink-provider-manager': './provider',
    'virt-controller': './virt-controller',
    'virt-daemon': './virt-daemon',
    'cdi-controller': './cdi-controller',
  }),
  ...programs('ipam', { 'ipam-manager': 'github.com/metal3-io/ip-address-manager' }),
];

/** The programs of the overlay network between machines: flannel, with the CNI plugin that does its bidding on a node. */
export const overlayPrograms: readonly Program[] = [
  ...programs('flannel', { flanneld: 'github.com/flannel-io/flannel' }),
  // The last release of the plugins that has flannel's, which has moved to a module that is not served.
  ...programs('cni-plugins', { flannel: 'github.com/containernetworking/plugins/plugins/meta/flannel' }),
];

/** Programs that tests use and no host needs. */
export const toolPrograms: readonly Program[] = [
  ...programs('act', { act: 'github.com/nektos/act' }),
  ...programs('actionlint', { actionlint: 'github.com/rhysd/actionlint/cmd/actionlint' }),
];

/** The versions of what runs on a host, as go.mod has them where it is built from a module. */
export const versions = {
  kubernetes: version('kubernetes', 'k8s.io/kubernetes'),
  etcd: version('etcd', 'go.etcd.io/etcd/server/v3'),
  clusterAPI: version('cluster-api', clusterAPI),
  certManager: version('cert-manager', 'github.com/cert-manager/cert-manager'),
  /** The releases that the stand-ins behave like, and whose assets are served. */
  virtinkProvider: 'v0.7.0',
  virtink: 'v0.15.0',
  flannel: version('flannel', 'github.com/flannel-io/flannel'),
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
  if (module !== 'kubernetes') return '-s -w';
  // kubeadm and the API server refuse to work with a version that is not set.
  const [major, minor] = versions.kubernetes.slice(1).split('.');
  const values = { gitVersion: versions.kubernetes, gitMajor: major, gitMinor: minor };
  const flags = Object.entries(values).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value ?? ''}`,
  );
  return ['-s -w', ...flags].join(' ');
}
