import { ADDON_RELEASES, KNOWN_ADDONS, type KnownAddon } from '../addon-releases.ts';
import { CNI_RELEASES, KNOWN_CNIS, type KnownCni } from '../cni-releases.ts';
import { assetsOf } from './component.ts';
import { virtinkProvider, virtinkTemplates } from './known-components.ts';
import { assetKey, type ReleaseAsset } from '../release-asset.ts';
import { clusterctlAsset, knownComponents, requiredComponents } from './required-components.ts';
import { INFRASTRUCTURES, type Infrastructure } from '../infrastructures.ts';
import type { ComponentVersions } from '../versions.ts';

/** The runners that the action runs on. `platform` and `arch` are Node's words for them. */
const RUNNERS = [
  { platform: 'linux', arch: 'x64' },
  { platform: 'linux', arch: 'arm64' },
  { platform: 'darwin', arch: 'x64' },
  { platform: 'darwin', arch: 'arm64' },
] as const;

/** What a create downloads an asset for. */
export type Need =
  | { readonly kind: 'runner'; readonly platform: 'linux' | 'darwin'; readonly arch: 'x64' | 'arm64' }
  | {
      readonly kind: 'component';
      readonly infrastructures: readonly Infrastructure[];
      /** Whether only persistent clusters need it. */
      readonly persistent: boolean;
    }
  | { readonly kind: 'cni'; readonly cni: KnownCni }
  | { readonly kind: 'addon'; readonly addon: KnownAddon }
  /** A template of that infrastructure, for those who name it in `cluster-template`. */
  | { readonly kind: 'template'; readonly infrastructure: Infrastructure };

/** An asset that the action may download. */
export interface CatalogAsset {
  readonly asset: ReleaseAsset;
  /** What it belongs to, and its version. */
  readonly title: string;
  readonly need: Need;
}

/** Every asset that some runner may download for these versions, once each, with what it is needed for. */
export function catalogAssets(versions: ComponentVersions): readonly CatalogAsset[] {
  const provider = virtinkProvider(versions.virtinkProvider);
  const all: readonly CatalogAsset[] = [
    ...RUNNERS.map((runner) => ({
      asset: clusterctlAsset(versions.clusterApi, runner.platform, runner.arch),
      title: `clusterctl ${versions.clusterApi}`,
      need: { kind: 'runner', ...runner } as const,
    })),
    ...componentAssets(versions),
    ...virtinkTemplates(provider.version).map((asset) => ({
      asset,
      title: `${provider.title} ${provider.version}`,
      need: { kind: 'template', infrastructure: 'virtink' } as const,
    })),
    ...KNOWN_CNIS.map((cni) => ({
      asset: CNI_RELEASES[cni].asset,
      title: CNI_RELEASES[cni].title,
      need: { kind: 'cni', cni } as const,
    })),
    ...KNOWN_ADDONS.map((addon) => ({
      asset: ADDON_RELEASES[addon].asset,
      title: ADDON_RELEASES[addon].title,
      need: { kind: 'addon', addon } as const,
    })),
  ];
  // Parts of Cluster API share their metadata: it stands with the first of them, the core.
  return all.filter(({ asset }, index) => all.findIndex((one) => assetKey(one.asset) === assetKey(asset)) === index);
}

/** What the table of checksums should know. */
export function allAssets(versions: ComponentVersions): readonly ReleaseAsset[] {
  return catalogAssets(versions).map(({ asset }) => asset);
}

function componentAssets(versions: ComponentVersions): readonly CatalogAsset[] {
  const uses = INFRASTRUCTURES.flatMap((infrastructure) =>
    [false, true].map((persistent) => {
      const assets = requiredComponents(versions, infrastructure, persistent).flatMap(assetsOf);
      return { infrastructure, persistent, keys: new Set(assets.map(assetKey)) };
    }),
  );
  return knownComponents(versions).flatMap((component) =>
    assetsOf(component).map((asset) => {
      const users = uses.filter(({ keys }) => keys.has(assetKey(asset)));
      const infrastructures = [...new Set(users.map(({ infrastructure }) => infrastructure))];
      const persistent = users.every((user) => user.persistent);
      return {
        asset,
        title: `${component.title} ${component.version}`,
        need: { kind: 'component', infrastructures, persistent } as const,
      };
    }),
  );
}

/** Whether clusters on an infrastructure may need an asset. */
export function isNeededBy({ need }: CatalogAsset, infrastructure: Infrastructure): boolean {
  switch (need.kind) {
    case 'component':
      return need.infrastructures.includes(infrastructure);
    case 'template':
      return need.infrastructure === infrastructure;
    case 'runner':
    case 'cni':
    case 'addon':
      return true;
  }
}
