import { KNOWN_ADDONS, type KnownAddon } from '../catalog/addon-releases.ts';
import { KNOWN_CNIS, type KnownCni } from '../catalog/cni-releases.ts';
import type { Cidr } from '../values/cidr.ts';
import type { DownloadInputs } from './downloads.ts';
import type { InputReader } from './reading/reader.ts';
import { readWebFile, type WebFile } from './web-file.ts';

/** A manifest of the user's own. */
export type ManifestInput = { readonly kind: 'file'; readonly path: string } | WebFile;

/** Which CNI the nested cluster gets: none, a known one, or whatever a manifest holds. */
export type CniInput = { readonly kind: 'none' } | { readonly kind: 'known'; readonly name: KnownCni } | ManifestInput;

const NONE: CniInput = { kind: 'none' };

/** Reads which CNI the nested cluster gets. A known one is set up for pods with IPv4 addresses. */
export function readCni(
  reader: InputReader,
  { checksumPolicy }: DownloadInputs,
  podNetworkCidr: Cidr | undefined,
): CniInput {
  const text = reader.optional('cni') ?? 'none';
  if (text === 'none') return NONE;
  const name = KNOWN_CNIS.find((known) => known === text);
  if (name !== undefined) {
    if (podNetworkCidr?.address.kind() === 'ipv6') {
      reader.problem(
        'cni',
        `${name} is set up for IPv4 only, and pod-network-cidr is IPv6; set cni to a manifest for IPv6`,
      );
    }
    return { kind: 'known', name };
  }
  return readManifest(reader, 'cni', text, checksumPolicy, ['none', ...KNOWN_CNIS]);
}

/** Reads where a manifest is that `input` names. `words`: what `input` takes besides. */
function readManifest(
  reader: InputReader,
  input: 'addons' | 'cni',
  text: string,
  checksumPolicy: DownloadInputs['checksumPolicy'],
  words: readonly string[],
): ManifestInput {
  if (text.includes('://')) return readWebFile(reader, input, text, checksumPolicy);
  // A word with neither a directory nor an extension is a slip of the pen, not a file.
  if (!/[/\\.]/.test(text)) {
    const all = `one of ${words.join(', ')}, or a path or https URL of a manifest`;
    reader.problem(input, `"${text}" is not supported; use ${all}`);
  }
  return { kind: 'file', path: text };
}

/** What is installed in the nested cluster besides its CNI: a known add-on, or whatever a manifest holds. */
export type AddonInput = { readonly kind: 'known'; readonly name: KnownAddon } | ManifestInput;

/** Reads the add-ons of the nested cluster, in the order in which they are listed. */
export function readAddons(reader: InputReader, { checksumPolicy }: DownloadInputs): readonly AddonInput[] {
  const texts = (reader.optional('addons') ?? '')
    .split(/[,\n]/)
    .map((text) => text.trim())
    .filter((text) => text !== '');
  for (const text of new Set(texts.filter((one, index) => texts.indexOf(one) !== index))) {
    reader.problem('addons', `"${text}" is listed more than once`);
  }
  return texts.map((text) => {
    const name = KNOWN_ADDONS.find((known) => known === text);
    if (name !== undefined) return { kind: 'known', name };
    return readManifest(reader, 'addons', text, checksumPolicy, KNOWN_ADDONS);
  });
}
