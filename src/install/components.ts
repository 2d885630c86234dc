import type { ComponentVersions, Infrastructure, InfrastructureProvider } from '../inputs.ts';
import { compareMinor, type Version } from '../values/version.ts';
import { CNI_RELEASES } from './cni.ts';
import { infrastructureProvider } from './providers.ts';

/** An asset of a GitHub release, or a file that a repository has at a tag. */
export interface ReleaseAsset {
  /** `owner/name`. */
  readonly repository: string;
  /** Of a file in the tree, a commit does as well. */
  readonly tag: string;
  /** Of a file in the tree: its path. */
  readonly name: string;
  /** Set when it is a file in the tree of the repository, attached to no release. */
  readonly inTree?: true;
}

/** The four kinds of provider that clusterctl tells apart, as its Provider objects and its configuration file name them. */
export type ProviderType = 'CoreProvider' | 'BootstrapProvider' | 'ControlPlaneProvider' | 'InfrastructureProvider';

/** A workload that runs when a component does. */
export interface Workload {
  readonly kind: 'Deployment' | 'DaemonSet';
  readonly namespace: string;
  readonly name: string;
}

interface ComponentBase {
  /** As people say it. */
  readonly title: string;
  readonly version: string;
  /** The manifest that installs it. */
  readonly manifest: ReleaseAsset;
  /** One of its CRDs: without it the component is not installed, whatever else is there. Undefined when none is known. */
  readonly crd: string | undefined;
  /** None of a provider that is known by name alone, until it is there. */
  readonly workloads: readonly Workload[];
}

/** A Cluster API provider: clusterctl installs it. */
export interface ProviderComponent extends ComponentBase {
  readonly installer: 'clusterctl';
  readonly provider: { readonly name: string; readonly type: ProviderType };
  readonly metadata: ReleaseAsset;
}

/** cert-manager, which `clusterctl init` installs before any provider. */
export interface CertManagerComponent extends ComponentBase {
  readonly installer: 'clusterctl-cert-manager';
}

/** Something with a manifest of its own, applied as it is. */
export interface ManifestComponent extends ComponentBase {
  readonly installer: 'manifest';
}

/** Anything `create` can install on the host. */
export type Component = ProviderComponent | CertManagerComponent | ManifestComponent;

const CLUSTER_API = 'kubernetes-sigs/cluster-api';
const VIRTINK_PROVIDER = 'smartxworks/cluster-api-provider-virtink';

/** Everything a cluster on that infrastructure needs on the host, in the order in which it may be installed. */
export function requiredComponents(
  versions: ComponentVersions,
  infrastructure: Infrastructure | InfrastructureProvider,
): readonly Component[] {
  const common = [
    certManager(versions.certManager),
    clusterApi(versions.clusterApi, {
      title: 'Cluster API',
      provider: { name: 'cluster-api', type: 'CoreProvider' },
      asset: 'core-components.yaml',
      crd: 'clusters.cluster.x-k8s.io',
      workload: ['capi-system', 'capi-controller-manager'],
    }),
    clusterApi(versions.clusterApi, {
      title: 'kubeadm bootstrap provider',
      provider: { name: 'kubeadm', type: 'BootstrapProvider' },
      asset: 'bootstrap-components.yaml',
      crd: 'kubeadmconfigs.bootstrap.cluster.x-k8s.io',
      workload: ['capi-kubeadm-bootstrap-system', 'capi-kubeadm-bootstrap-controller-manager'],
    }),
    clusterApi(versions.clusterApi, {
      title: 'kubeadm control plane provider',
      provider: { name: 'kubeadm', type: 'ControlPlaneProvider' },
      asset: 'control-plane-components.yaml',
      crd: 'kubeadmcontrolplanes.controlplane.cluster.x-k8s.io',
      workload: ['capi-kubeadm-control-plane-system', 'capi-kubeadm-control-plane-controller-manager'],
    }),
  ];
  if (typeof infrastructure === 'object') return [...common, infrastructureProvider(infrastructure)];
  switch (infrastructure) {
    case 'virtink':
      return [...common, virtinkProvider(versions.virtinkProvider), virtink(versions.virtink)];
    case 'docker':
      return [
        ...common,
        clusterApi(versions.clusterApi, {
          title: 'in-memory infrastructure provider',
          provider: { name: 'docker', type: 'InfrastructureProvider' },
          asset: 'infrastructure-components-development.yaml',
          crd: 'devclusters.infrastructure.cluster.x-k8s.io',
          workload: ['capd-system', 'capd-controller-manager'],
        }),
      ];
  }
}

/**
 * Why a version of Cluster API cannot be used, as the end of a sentence; undefined when it can. Source: Cluster API,
 * "Version Support": v1beta2 begins with v1.11, the v1beta1 contract of the Virtink provider ends with v1.16.
 */
export function clusterApiProblem(version: Version): string | undefined {
  if (compareMinor(version, { major: 1, minor: 16 }) >= 0) {
    return 'no longer serves the v1beta1 contract of the Virtink provider';
  }
  return compareMinor(version, { major: 1, minor: 11 }) < 0 ? 'has no v1beta2 API' : undefined;
}

/** Everything the action knows, whatever the infrastructure; and the provider of one that it has no template for. */
export function knownComponents(
  versions: ComponentVersions,
  ...others: readonly (Infrastructure | InfrastructureProvider)[]
): readonly Component[] {
  // Those asked for come first: clusterctl takes one version of each.
  const all = [...others, 'virtink', 'docker'] as const;
  const components = all.flatMap((infrastructure) => requiredComponents(versions, infrastructure));
  return components.filter((component, index) => components.findIndex((one) => isSame(one, component)) === index);
}

function isSame(one: Component, other: Component): boolean {
  if (one.installer !== 'clusterctl' || other.installer !== 'clusterctl') return one.title === other.title;
  return one.provider.name === other.provider.name && one.provider.type === other.provider.type;
}

/** The component in another version. */
export function atVersion<C extends Component>(component: C, version: string): C {
  const manifest = { ...component.manifest, tag: version };
  return component.installer === 'clusterctl'
    ? { ...component, version, manifest, metadata: { ...component.metadata, tag: version } }
    : { ...component, version, manifest };
}

/** The clusterctl binary for a runner. `platform` and `arch` are Node's words for them. */
export function clusterctlAsset(version: string, platform: NodeJS.Platform, arch: string): ReleaseAsset {
  const system = platform === 'win32' ? 'windows' : platform;
  const suffix = platform === 'win32' ? '.exe' : '';
  return {
    repository: CLUSTER_API,
    tag: version,
    name: `clusterctl-${system}-${arch === 'x64' ? 'amd64' : arch}${suffix}`,
  };
}

/** Every asset that some runner may download for these versions: what the table of checksums should know. */
export function allAssets(versions: ComponentVersions): readonly ReleaseAsset[] {
  const runners = [
    ['linux', 'x64'],
    ['linux', 'arm64'],
    ['darwin', 'x64'],
    ['darwin', 'arm64'],
    ['win32', 'x64'],
  ] as const;
  const assets = [
    ...runners.map(([platform, arch]) => clusterctlAsset(versions.clusterApi, platform, arch)),
    ...knownComponents(versions).flatMap(assetsOf),
    ...Object.values(CNI_RELEASES).map(({ asset }) => asset),
  ];
  return [...new Map(assets.map((asset) => [assetKey(asset), asset])).values()];
}

/** The assets that installing a component takes. */
export function assetsOf(component: Component): readonly ReleaseAsset[] {
  return component.installer === 'clusterctl' ? [component.manifest, component.metadata] : [component.manifest];
}

/** An asset's name in the table of checksums and in messages: `owner/name/tag/asset`. */
export function assetKey(asset: ReleaseAsset): string {
  return `${asset.repository}/${asset.tag}/${asset.name}`;
}

/** An asset's path on github.com, and on a mirror of it. */
export function assetPath({ repository, tag, name, inTree }: ReleaseAsset): string {
  return `${repository}/${inTree ? 'raw' : 'releases/download'}/${tag}/${name}`;
}

// Where each component keeps its workloads: source is its release manifest (config/default or deploy/ of its repository).

function certManager(version: string): CertManagerComponent {
  const namespace = 'cert-manager';
  return {
    installer: 'clusterctl-cert-manager',
    title: 'cert-manager',
    version,
    manifest: { repository: 'cert-manager/cert-manager', tag: version, name: 'cert-manager.yaml' },
    crd: 'certificates.cert-manager.io',
    workloads: ['cert-manager', 'cert-manager-cainjector', 'cert-manager-webhook'].map((name) => ({
      kind: 'Deployment',
      namespace,
      name,
    })),
  };
}

function clusterApi(
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
    workloads: [{ kind: 'Deployment', namespace, name }],
  };
}

function virtinkProvider(version: string): ProviderComponent {
  return {
    installer: 'clusterctl',
    title: 'Virtink provider',
    version,
    provider: { name: 'virtink', type: 'InfrastructureProvider' },
    manifest: { repository: VIRTINK_PROVIDER, tag: version, name: 'infrastructure-components.yaml' },
    metadata: { repository: VIRTINK_PROVIDER, tag: version, name: 'metadata.yaml' },
    crd: 'virtinkclusters.infrastructure.cluster.x-k8s.io',
    workloads: [{ kind: 'Deployment', namespace: 'capch-system', name: 'capch-controller-manager' }],
  };
}

function virtink(version: string): ManifestComponent {
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
