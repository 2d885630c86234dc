import { type ReleaseAsset } from '../release-asset.ts';
import {
  PROVIDER_LABEL,
  qualifiedName,
  type CertManagerComponent,
  type ManifestComponent,
  type ProviderComponent,
  type Workload,
} from './component.ts';

/** The repository of Cluster API. */
export const CLUSTER_API = 'kubernetes-sigs/cluster-api';
const VIRTINK_PROVIDER = 'smartxworks/cluster-api-provider-virtink';

// Where each component keeps its workloads: source is its release manifest (config/default or deploy/ of its repository).

/** cert-manager, by its static manifest. */
export function certManager(version: string): CertManagerComponent {
  const namespace = 'cert-manager';
  return {
    installer: 'clusterctl-cert-manager',
    title: 'cert-manager',
    version,
    manifest: { repository: 'cert-manager/cert-manager', tag: version, name: 'cert-manager.yaml' },
    crd: 'certificates.cert-manager.io',
    // The labels of its Helm chart, whatever the release is called: the static manifest is rendered from it.
    workloads: (['controller', 'cainjector', 'webhook'] as const).map((part) => ({
      kind: 'Deployment',
      namespace,
      name: part === 'controller' ? 'cert-manager' : `cert-manager-${part}`,
      labels: {
        'app.kubernetes.io/component': part,
        'app.kubernetes.io/name': part === 'controller' ? 'cert-manager' : part,
      },
    })),
  };
}

/** A part of Cluster API: its core, a kubeadm provider or the in-memory infrastructure. */
export function clusterApi(
  version: string,
  part: {
    readonly title: string;
    readonly provider: ProviderComponent['provider'];
    readonly asset: string;
    readonly crd: string;
    readonly workload: readonly [namespace: string, name: string];
  },
): ProviderComponent {
  const [namespace, name] = part.workload;
  return {
    installer: 'clusterctl',
    title: part.title,
    version,
    provider: part.provider,
    manifest: { repository: CLUSTER_API, tag: version, name: part.asset },
    metadata: { repository: CLUSTER_API, tag: version, name: 'metadata.yaml' },
    crd: part.crd,
    workloads: [providerDeployment(part.provider, namespace, name)],
  };
}

function providerDeployment(provider: ProviderComponent['provider'], namespace: string, name: string): Workload {
  return { kind: 'Deployment', namespace, name, labels: { [PROVIDER_LABEL]: qualifiedName(provider) } };
}

/** The Cluster API provider for Virtink. */
export function virtinkProvider(version: string): ProviderComponent {
  const provider = { name: 'virtink', type: 'InfrastructureProvider' } as const;
  return {
    installer: 'clusterctl',
    title: 'Virtink provider',
    version,
    provider,
    manifest: { repository: VIRTINK_PROVIDER, tag: version, name: 'infrastructure-components.yaml' },
    metadata: { repository: VIRTINK_PROVIDER, tag: version, name: 'metadata.yaml' },
    crd: 'virtinkclusters.infrastructure.cluster.x-k8s.io',
    workloads: [providerDeployment(provider, 'capch-system', 'capch-controller-manager')],
    lastOfV1beta1: { major: 0, minor: 7 },
  };
}

/** The templates that the Virtink provider releases; they work as `cluster-template`. */
export function virtinkTemplates(version: string): readonly ReleaseAsset[] {
  return ['', '-internal', '-cdi', '-cdi-internal'].map((suffix) => ({
    repository: VIRTINK_PROVIDER,
    tag: version,
    name: `cluster-template${suffix}.yaml`,
  }));
}

/** Virtink itself, which runs the machines. */
export function virtink(version: string): ManifestComponent {
  const namespace = 'virtink-system';
  return {
    installer: 'manifest',
    title: 'Virtink',
    version,
    manifest: { repository: 'smartxworks/virtink', tag: version, name: 'virtink.yaml' },
    crd: 'virtualmachines.virt.virtink.smartx.com',
    workloads: [
      { kind: 'Deployment', namespace, name: 'virt-controller' },
      { kind: 'DaemonSet', namespace, name: 'virt-daemon' },
    ],
  };
}

/** The Cluster API provider for KubeVirt. */
export function kubevirtProvider(version: string): ProviderComponent {
  const provider = { name: 'kubevirt', type: 'InfrastructureProvider' } as const;
  const release = { repository: 'kubernetes-sigs/cluster-api-provider-kubevirt', tag: version };
  return {
    installer: 'clusterctl',
    title: 'KubeVirt provider',
    version,
    provider,
    manifest: { ...release, name: 'infrastructure-components.yaml' },
    metadata: { ...release, name: 'metadata.yaml' },
    crd: 'kubevirtclusters.infrastructure.cluster.x-k8s.io',
    workloads: [providerDeployment(provider, 'capk-system', 'capk-controller-manager')],
    lastOfV1beta1: { major: 0, minor: 11 },
  };
}

/** KubeVirt itself; its operator installs the rest, wherever it runs, once its custom resource is there. */
export function kubevirt(version: string): ManifestComponent {
  const release = { repository: 'kubevirt/kubevirt', tag: version };
  const namespace = 'kubevirt';
  const workload = (kind: Workload['kind'], name: string): Workload => ({
    kind,
    namespace,
    name,
    labels: { 'kubevirt.io': name },
  });
  return {
    installer: 'manifest',
    title: 'KubeVirt',
    version,
    manifest: { ...release, name: 'kubevirt-operator.yaml' },
    customResource: { ...release, name: 'kubevirt-cr.yaml' },
    crd: 'kubevirts.kubevirt.io',
    workloads: [
      workload('Deployment', 'virt-operator'),
      workload('Deployment', 'virt-api'),
      workload('Deployment', 'virt-controller'),
      workload('DaemonSet', 'virt-handler'),
    ],
  };
}

/** Metal3's IP address manager. Its release has no metadata, so clusterctl does not know it as a provider. */
export function ipam(version: string): ManifestComponent {
  const namespace = 'capm3-system';
  return {
    installer: 'manifest',
    title: 'IPAM',
    version,
    namespace,
    manifest: { repository: 'metal3-io/ip-address-manager', tag: version, name: 'ipam-components.yaml' },
    crd: 'ippools.ipam.metal3.io',
    workloads: [{ kind: 'Deployment', namespace, name: 'ipam-controller-manager' }],
  };
}

/** CDI, which makes the disks of persistent machines; its operator installs it once its custom resource is there. */
export function cdi(version: string): ManifestComponent {
  const release = { repository: 'kubevirt/containerized-data-importer', tag: version };
  return {
    installer: 'manifest',
    title: 'CDI',
    version,
    manifest: { ...release, name: 'cdi-operator.yaml' },
    customResource: { ...release, name: 'cdi-cr.yaml' },
    crd: 'datavolumes.cdi.kubevirt.io',
    workloads: ['cdi-operator', 'cdi-apiserver', 'cdi-deployment', 'cdi-uploadproxy'].map((name) => ({
      kind: 'Deployment',
      namespace: 'cdi',
      name,
    })),
  };
}
