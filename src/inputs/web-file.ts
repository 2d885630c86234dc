import { releaseAssetAt } from '../catalog/release-asset.ts';
import { quotedAddress, shownAddress } from '../values/url-credentials.ts';
import type { DownloadInputs } from './downloads.ts';
import type { InputReader } from './reading/reader.ts';

/** A file that the user names by its address. */
export interface WebFile {
  readonly kind: 'url';
  readonly url: string;
  /**
   * What its bytes must have, in hexadecimal digits. Undefined when nobody said: then it is an asset of a GitHub
   * release, which is verified like every other, or unverified downloads are let through.
   */
  readonly sha256: string | undefined;
}

/** Where the sum of a file stands in its URL: a fragment is never sent to a server. */
const SUM = /^#sha256=([0-9a-f]{64})$/i;

/** Reads the address of a file that `input` names; it must be possible to verify what comes from there. */
export function readWebFile(
  reader: InputReader,
  input: 'addons' | 'cluster-template' | 'cni',
  text: string,
  checksumPolicy: DownloadInputs['checksumPolicy'],
): WebFile {
  const parsed = URL.parse(text);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    reader.problem(input, `${quotedAddress(text)} is not an https URL`);
    return { kind: 'url', url: text, sha256: undefined };
  }
  const { hash, protocol } = parsed;
  // Such an address cannot be asked for, and would be in messages.
  if (`${parsed.username}${parsed.password}` !== '') {
    reader.problem(
      input,
      'contains a user name or a password; download the file in an earlier step, and pass its path',
    );
    return { kind: 'url', url: shownAddress(text), sha256: undefined };
  }
  const url = text.replace(/#.*$/s, '');
  const shown = shownAddress(url);
  const sha256 = SUM.exec(hash)?.[1]?.toLowerCase();
  if (sha256 !== undefined) return { kind: 'url', url, sha256 };
  if (hash !== '') {
    reader.problem(
      input,
      `what follows the # is not a checksum; for example #sha256=, then the 64 digits of sha256sum`,
    );
  } else if (protocol !== 'https:') {
    reader.problem(input, `${shown} can be modified in transit; use https, or append #sha256= and its checksum`);
  } else if (checksumPolicy !== 'warn' && releaseAssetAt(url) === undefined) {
    reader.problem(input, `${shown} has no checksum; append #sha256= and its checksum, or set checksum-policy to warn`);
  }
  return { kind: 'url', url, sha256 };
}
