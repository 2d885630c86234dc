import type { ComponentVersions } from '../versions.ts';
import { INFRASTRUCTURES, type Infrastructure, type InfrastructureProvider } from '../infrastructures.ts';
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
import { type ReleaseAsset } from '../release-asset.ts';
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
