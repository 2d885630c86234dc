import type { ReleaseAsset } from '../release-asset.ts';

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
 * Label with the name of the provider that a workload belongs to. Its pods have it too, however it was installed. Source: cluster-api
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
  /** The newest minor release that goes no further than Cluster API's v1beta1 contract; undefined when none is known. */
  readonly lastOfV1beta1?: { readonly major: number; readonly minor: number };
}

/** cert-manager, which `clusterctl init` installs before any provider. */
export interface CertManagerComponent extends ComponentBase {
  readonly installer: 'clusterctl-cert-manager';
}

/** A component whose manifest is applied unchanged, without clusterctl. */
export interface ManifestComponent extends ComponentBase {
  readonly installer: 'manifest';
  /** A namespace that its manifest takes for granted. */
  readonly namespace?: string;
  /** What tells the operator of the manifest to install the rest. */
  readonly customResource?: ReleaseAsset;
}

/** Anything `create` can install on the host. */
export type Component = ProviderComponent | CertManagerComponent | ManifestComponent;

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

/** The assets that installing a component takes. */
export function assetsOf(component: Component): readonly ReleaseAsset[] {
  const { manifest } = component;
  if (component.installer === 'clusterctl') return [manifest, component.metadata];
  const customResource = component.installer === 'manifest' ? component.customResource : undefined;
  return customResource === undefined ? [manifest] : [manifest, customResource];
}
