import type { ComponentVersions, Infrastructure, InfrastructureProvider } from '../inputs.ts';
import { compareMinor, type Version } from '../values/version.ts';
import {
  cdi,
  certManager,
  CLUSTER_API,
  clusterApi,
  ipam,
  virtink,
  virtinkProvider,
  virtinkTemplates,
} from './catalog.ts';
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

/** Where GitHub has the assets of releases. */
const RELEASE_ADDRESS = /^https:\/\/github\.com\/([^/]+\/[^/]+)\/releases\/download\/([^/]+)\/([^/?#]+)$/;

/** The release asset that an address on GitHub stands for; undefined when it stands for anything else. */
export function releaseAssetAt(url: string): ReleaseAsset | undefined {
  const [, repository, tag, name] = RELEASE_ADDRESS.exec(url) ?? [];
  if (repository === undefined || tag === undefined || name === undefined) return undefined;
  return { repository, tag, name };
}

/** The four kinds of provider that clusterctl tells apart, as its Provider objects and its configuration file name them. */
export type ProviderType = 'CoreProvider' | 'BootstrapProvider' | 'ControlPlaneProvider' | 'InfrastructureProvider';

/** A workload that runs when a component does. */
export interface Workload {
  readonly kind: 'Deployment' | 'DaemonSet';
  /** Where the component's own manifest puts it, and under which name. */
  readonly namespace: string;
  readonly name: string;
  /** What it has wherever and under whatever name others installed it; undefined when nothing is known to tell it. */
  readonly labels?: Readonly<Record<string, string>>;
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

/**
 * Who a workload of a provider belongs to, on its pods too, whoever installed it. Source: cluster-api
 * cmd/clusterctl/api/v1alpha3/labels.go, its `generate provider`, and "Provider contract", labels.
 */
export const PROVIDER_LABEL = 'cluster.x-k8s.io/provider';

const PREFIXES: Readonly<Record<ProviderType, string>> = {
  CoreProvider: '',
  BootstrapProvider: 'bootstrap-',
  ControlPlaneProvider: 'control-plane-',
  InfrastructureProvider: 'infrastructure-',
};

/** The name of a provider among those of all types: that of its local repository, and the value of its label. */
export function qualifiedName({ name, type }: ProviderComponent['provider']): string {
  return `${PREFIXES[type]}${name}`;
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
  /** A namespace that its manifest takes for granted. */
  readonly namespace?: string;
  /** What tells the operator of the manifest to install the rest. */
  readonly customResource?: ReleaseAsset;
}

/** Anything `create` can install on the host. */
export type Component = ProviderComponent | CertManagerComponent | ManifestComponent;

/** Everything a cluster on that infrastructure needs on the host, in the order in which it may be installed. */
export function requiredComponents(
  versions: ComponentVersions,
  infrastructure: Infrastructure | InfrastructureProvider,
  persistent = false,
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
      return [
        ...common,
        virtinkProvider(versions.virtinkProvider),
        virtink(versions.virtink),
        ...(persistent ? [ipam(versions.ipam), cdi(versions.cdi)] : []),
      ];
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

/** Why an installed version cannot be used, as the end of a sentence, and which ones can. */
export interface VersionProblem {
  readonly problem: string;
  readonly supported: string;
}

/** Why the installed version of a component cannot be used; undefined when it can. */
export function versionProblem(component: Component, version: Version): VersionProblem | undefined {
  const { installer } = component;
  if (installer === 'clusterctl-cert-manager' && version.major < 1) {
    return { problem: 'has no v1 API', supported: 'cert-manager v1.0 or later' };
  }
  const isCore = installer === 'clusterctl' && component.provider.type === 'CoreProvider';
  const problem = isCore ? clusterApiProblem(version) : undefined;
  return problem === undefined ? undefined : { problem, supported: 'Cluster API v1.11 to v1.15' };
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
  const components = all.flatMap((infrastructure) => requiredComponents(versions, infrastructure, true));
  return components.filter((component, index) => components.findIndex((one) => isSame(one, component)) === index);
}

function isSame(one: Component, other: Component): boolean {
  if (one.installer !== 'clusterctl' || other.installer !== 'clusterctl') return one.title === other.title;
  return one.provider.name === other.provider.name && one.provider.type === other.provider.type;
}

/** The component in another version. */
export function atVersion<C extends Component>(component: C, version: string): C {
  const tagged = (asset: ReleaseAsset): ReleaseAsset => ({ ...asset, tag: version });
  const manifest = tagged(component.manifest);
  switch (component.installer) {
    case 'clusterctl':
      return { ...component, version, manifest, metadata: tagged(component.metadata) };
    case 'clusterctl-cert-manager':
      return { ...component, version, manifest };
    case 'manifest': {
      const { customResource } = component;
      return {
        ...component,
        version,
        manifest,
        ...(customResource !== undefined && { customResource: tagged(customResource) }),
      };
    }
  }
}

/** The clusterctl binary for a runner. `platform` and `arch` are Node's words for them. */
export function clusterctlAsset(version: string, platform: NodeJS.Platform, arch: string): ReleaseAsset {
  return {
    repository: CLUSTER_API,
    tag: version,
    name: `clusterctl-${platform}-${arch === 'x64' ? 'amd64' : arch}`,
  };
}

/** Every asset that some runner may download for these versions: what the table of checksums should know. */
export function allAssets(versions: ComponentVersions): readonly ReleaseAsset[] {
  const runners = [
    ['linux', 'x64'],
    ['linux', 'arm64'],
    ['darwin', 'x64'],
    ['darwin', 'arm64'],
  ] as const;
  const assets = [
    ...runners.map(([platform, arch]) => clusterctlAsset(versions.clusterApi, platform, arch)),
    ...knownComponents(versions).flatMap(assetsOf),
    ...virtinkTemplates(versions.virtinkProvider),
    ...Object.values(CNI_RELEASES).map(({ asset }) => asset),
  ];
  return [...new Map(assets.map((asset) => [assetKey(asset), asset])).values()];
}

/** The assets that installing a component takes. */
export function assetsOf(component: Component): readonly ReleaseAsset[] {
  const { manifest } = component;
  if (component.installer === 'clusterctl') return [manifest, component.metadata];
  const customResource = component.installer === 'manifest' ? component.customResource : undefined;
  return customResource === undefined ? [manifest] : [manifest, customResource];
}

/** An asset's name in the table of checksums and in messages: `owner/name/tag/asset`. */
export function assetKey(asset: ReleaseAsset): string {
  return `${asset.repository}/${asset.tag}/${asset.name}`;
}

/** An asset's path on github.com, and on a mirror of it. */
export function assetPath({ repository, tag, name, inTree }: ReleaseAsset): string {
  return `${repository}/${inTree ? 'raw' : 'releases/download'}/${tag}/${name}`;
}
