import { readFile } from 'node:fs/promises';
import { firstLineOf, inputError } from '../../errors.ts';
import { parseManifest } from '../../host/api/manifest.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import type { ManifestInput } from '../../inputs.ts';
import type { Downloader } from '../../install/download.ts';
import { withDefaultNamespace } from './default-namespace.ts';

/** Objects that are ready to be installed in a nested cluster. */
export interface Manifest {
  /** What they are, or what it means that there are none, for people. */
  readonly description: string;
  readonly objects: readonly KubernetesObject[];
}

/** A manifest with this title. */
export function described(title: string, objects: readonly KubernetesObject[]): Manifest {
  return { description: `${title} (${objects.length} objects)`, objects };
}

/** Where a manifest of the user's own is, for people. */
export function placeOf(source: ManifestInput): string {
  return source.kind === 'file' ? source.path : source.url;
}

/**
 * The objects of a manifest that an input names, unchanged but for the namespace `default`. `path`: where it is downloaded
 * to, below the private directory. Throws KNEST_DOWNLOAD, KNEST_CHECKSUM, and KNEST_INPUT for a manifest that cannot be used.
 */
export async function ownObjects(
  input: 'addons' | 'cni',
  source: ManifestInput,
  downloader: Downloader,
  path: string,
): Promise<readonly KubernetesObject[]> {
  const file = source.kind === 'file' ? source.path : await downloader.webFile(source, path);
  try {
    const objects = parseManifest(await readFile(file, 'utf8'));
    if (objects.length === 0) throw new Error('it has no objects');
    return withDefaultNamespace(objects);
  } catch (thrown) {
    throw inputError([`${input}: ${placeOf(source)} is not a usable manifest: ${firstLineOf(thrown)}`]);
  }
}
