import { KNOWN_CNIS, type KnownCni } from '../catalog/cni-releases.ts';
import type { Cidr } from '../values/cidr.ts';
import type { DownloadInputs } from './downloads.ts';
import type { InputReader } from './reading/reader.ts';
import { readWebFile, type WebFile } from './web-file.ts';

/** Which CNI the nested cluster gets: none, a known one, or whatever a manifest holds. */
export type CniInput =
  | { readonly kind: 'none' }
  | { readonly kind: 'known'; readonly name: KnownCni }
  | { readonly kind: 'file'; readonly path: string }
  | WebFile;

const NONE: CniInput = { kind: 'none' };
const WORDS = `one of none, ${KNOWN_CNIS.join(', ')}, or a path or https URL of a manifest`;

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
  if (text.includes('://')) return readWebFile(reader, 'cni', text, checksumPolicy);
  // A word with neither a directory nor an extension is a slip of the pen, not a file.
  if (!/[/\\.]/.test(text)) reader.problem('cni', `"${text}" is not supported; use ${WORDS}`);
  return { kind: 'file', path: text };
}
