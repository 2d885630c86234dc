import { readFile } from 'node:fs/promises';
import { ADDON_RELEASES, type KnownAddon } from '../../catalog/addon-releases.ts';
import { parseManifest } from '../../host/api/manifest.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import type { AddonInput } from '../../inputs.ts';
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

/** What to know of the known add-ons on a cluster of this minor version of Kubernetes 1, a line each. */
export function addonRisks(inputs: readonly AddonInput[], minor: number): readonly string[] {
  return inputs.flatMap((input) => {
    if (input.kind !== 'known') return [];
    const { title, oldestMinor = 0 } = ADDON_RELEASES[input.name];
    return minor >= oldestMinor ? [] : [`${title} supports Kubernetes 1.${oldestMinor} and newer only`];
  });
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
