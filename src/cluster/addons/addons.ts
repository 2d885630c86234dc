import { readFile } from 'node:fs/promises';
import { ADDON_RELEASES, type KnownAddon } from '../../catalog/addon-releases.ts';
import { parseManifest } from '../../host/api/manifest.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import type { AddonInput, CniInput, WaitFor } from '../../inputs.ts';
import type { Downloader } from '../../install/download.ts';
import { withDefaultClass, withHelperImage, withInsecureKubelets, withToleration } from './addon-patches.ts';
import { described, ownObjects, placeOf, type Manifest } from './manifest.ts';
import { NO_ADDONS } from './resource-set.ts';

/** What preparing add-ons takes. */
export interface AddonSources {
  readonly downloader: Downloader;
  /** How many workers the cluster gets. */
  readonly workers: number;
}

/**
 * Gets the manifests of add-ons, and changes known ones as the cluster needs it; a user's own are taken as they are.
 * Throws KNEST_DOWNLOAD, KNEST_CHECKSUM, and KNEST_INPUT for a manifest that cannot be used.
 */
export async function prepareAddons(inputs: readonly AddonInput[], sources: AddonSources): Promise<Manifest> {
  const titles: string[] = [];
  const objects: KubernetesObject[] = [];
  for (const [index, input] of inputs.entries()) {
    titles.push(input.kind === 'known' ? ADDON_RELEASES[input.name].title : placeOf(input));
    const isKnown = input.kind === 'known';
    const path = `addons/${index + 1}.yaml`;
    objects.push(
      ...(isKnown
        ? await knownObjects(input.name, path, sources)
        : await ownObjects('addons', input, sources.downloader, path)),
    );
  }
  return inputs.length === 0 ? { description: NO_ADDONS, objects } : described(titles.join(', '), objects);
}

/** What to know of add-ons on a cluster of this minor version of Kubernetes 1, a line each. */
export function addonRisks(inputs: readonly AddonInput[], minor: number, waitFor: WaitFor): readonly string[] {
  const later = 'they may be installed only after this step has ended: wait-for: nodes waits until they run';
  const unsupported = inputs.flatMap((input) => {
    if (input.kind !== 'known') return [];
    const { title, oldestMinor = 0 } = ADDON_RELEASES[input.name];
    return minor >= oldestMinor ? [] : [`${title} supports Kubernetes 1.${oldestMinor} and newer only`];
  });
  return [...unsupported, ...(waitFor === 'nodes' || inputs.length === 0 ? [] : [later])];
}

/**
 * What metrics-server without a CNI means; undefined with one, or without metrics-server. While an APIService is not
 * available, clients that discover all APIs fail. Seen on: helm, and the deletion of namespaces.
 */
export function withoutMetrics(inputs: readonly AddonInput[], cni: CniInput): string | undefined {
  const hasMetrics = inputs.some((input) => input.kind === 'known' && input.name === 'metrics-server');
  if (!hasMetrics || cni.kind !== 'none') return undefined;
  return 'metrics-server runs once a CNI does; until then its API is unavailable, helm can fail to discover APIs, and deleted namespaces stay';
}

async function knownObjects(
  name: KnownAddon,
  path: string,
  { downloader, workers }: AddonSources,
): Promise<readonly KubernetesObject[]> {
  const file = await downloader.file(ADDON_RELEASES[name].asset, path, 'action');
  const objects = changed(name, parseManifest(await readFile(file, 'utf8')));
  return workers === 0 ? withToleration(objects, name) : objects;
}

function changed(name: KnownAddon, objects: readonly KubernetesObject[]): readonly KubernetesObject[] {
  switch (name) {
    case 'local-path-provisioner':
      return withDefaultClass(withHelperImage(objects));
    case 'metrics-server':
      return withInsecureKubelets(objects);
  }
}
