import type { Cidr } from '../values/cidr.ts';
import type { DownloadInputs } from './downloads.ts';
import type { InputReader } from './reader.ts';

/** The CNIs that the action knows how to set up. */
export const KNOWN_CNIS = ['calico', 'cilium', 'flannel'] as const;
/** A CNI that the action knows how to set up. */
export type KnownCni = (typeof KNOWN_CNIS)[number];

/** Which CNI the nested cluster gets: none, a known one, or whatever a manifest holds. */
export type CniInput =
  | { readonly kind: 'none' }
  | { readonly kind: 'known'; readonly name: KnownCni }
  | { readonly kind: 'file'; readonly path: string }
  /** `sha256`: the sum that the manifest must have, in hexadecimal; undefined when nobody named one. */
  | { readonly kind: 'address'; readonly url: string; readonly sha256: string | undefined };

const NONE: CniInput = { kind: 'none' };
const WORDS = `one of none, ${KNOWN_CNIS.join(', ')}, or a path or https URL of a manifest`;
/** Where the sum of a manifest stands in its URL: a fragment is never sent to a server. */
const SUM = /^#sha256=([0-9a-f]{64})$/i;

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
      reader.problem('cni', `${name} is set up for IPv4, and pod-network-cidr is IPv6; give a manifest of your own`);
    }
    return { kind: 'known', name };
  }
  if (text.includes('://')) return readAddress(reader, text, checksumPolicy);
  // A word with neither a directory nor an extension is a slip of the pen, not a file.
  if (!/[/\\.]/.test(text)) reader.problem('cni', `"${text}" is not known; ${WORDS}`);
  return { kind: 'file', path: text };
}

function readAddress(reader: InputReader, text: string, checksumPolicy: DownloadInputs['checksumPolicy']): CniInput {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    reader.problem('cni', `"${text}" is no https URL`);
    return NONE;
  }
  const sha256 = SUM.exec(url.hash)?.[1]?.toLowerCase();
  const plain = text.replace(/#.*$/, '');
  if (sha256 !== undefined) return { kind: 'address', url: plain, sha256 };
  if (url.hash !== '') {
    reader.problem('cni', `"${url.hash}" is no checksum; for example #sha256=, then the 64 digits of sha256sum`);
  } else if (url.protocol !== 'https:') {
    reader.problem('cni', `${plain} can be changed on its way; use https, or end it with #sha256= and its sum`);
  } else if (checksumPolicy !== 'warn') {
    reader.problem('cni', `${plain} has no checksum; end it with #sha256= and its sum, or set checksum-policy to warn`);
  }
  return { kind: 'address', url: plain, sha256 };
}
