import type { ComponentVersions } from './versions.ts';
import { INFRASTRUCTURES, type Infrastructure, type InfrastructureProvider } from './infrastructures.ts';
import { compareMinor, type Version } from '../values/version.ts';
import {
  cdi,
  certManager,
  CLUSTER_API,
  clusterApi,
  ipam,
  kubevirt,
  kubevirtProvider,
  virtink,
  virtinkProvider,
} from './known-components.ts';
import type { Component } from './component.ts';
import { type ReleaseAsset } from './release-asset.ts';
import { infrastructureProvider } from './providers.ts';

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
    case 'kubevirt':
      return [...common, kubevirtProvider(versions.kubevirtProvider), kubevirt(versions.kubevirt)];
    case 'in-memory':
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
 * "Version Support": v1beta2 begins with v1.11, the v1beta1 contract of the providers for Virtink and KubeVirt ends with
 * v1.16.
 */
export function clusterApiProblem(version: Version): string | undefined {
  if (compareMinor(version, { major: 1, minor: 16 }) >= 0) {
    return 'no longer serves the v1beta1 contract of the providers for Virtink and KubeVirt';
  }
  return compareMinor(version, { major: 1, minor: 11 }) < 0 ? 'has no v1beta2 API' : undefined;
}

/** Everything the action knows, whatever the infrastructure; and the provider of one that it has no template for. */
export function knownComponents(
  versions: ComponentVersions,
  ...others: readonly (Infrastructure | InfrastructureProvider)[]
): readonly Component[] {
  // Those asked for come first: clusterctl takes one version of each.
  const all = [...others, ...INFRASTRUCTURES];
  const components = all.flatMap((infrastructure) => requiredComponents(versions, infrastructure, true));
  return components.filter((component, index) => components.findIndex((one) => isSame(one, component)) === index);
}

function isSame(one: Component, other: Component): boolean {
  if (one.installer !== 'clusterctl' || other.installer !== 'clusterctl') return one.title === other.title;
  return one.provider.name === other.provider.name && one.provider.type === other.provider.type;
}

/** The clusterctl binary for a runner. `platform` and `arch` are Node's words for them. */
export function clusterctlAsset(version: string, platform: NodeJS.Platform, arch: string): ReleaseAsset {
  return {
    repository: CLUSTER_API,
    tag: version,
    name: `clusterctl-${platform}-${arch === 'x64' ? 'amd64' : arch}`,
  };
}
