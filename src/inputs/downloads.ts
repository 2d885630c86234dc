import { isPrivateWay } from '../github/api.ts';
import { decoded } from '../values/url-credentials.ts';
import type { InputReader } from './reading/reader.ts';

/** What a download must prove before it is used. `mirror` trusts the sums published beside the assets of the mirror. */
export type ChecksumPolicy = 'require' | 'mirror' | 'warn';

/** Where release assets come from and how they are verified. */
export interface DownloadInputs {
  /** Replaces https://github.com; undefined for GitHub itself. */
  readonly mirror: string | undefined;
  /** `user:password` for the mirror; undefined when it lets everybody in. */
  readonly mirrorLogin: string | undefined;
  readonly checksumPolicy: ChecksumPolicy;
  /** A file of sha256sum with sums of assets, which win over all others. */
  readonly checksumsFile: string | undefined;
  readonly githubToken: string | undefined;
}

/** Reads where release assets come from. */
export function readDownloads(reader: InputReader): DownloadInputs {
  const { mirror, mirrorLogin } = readMirror(reader);
  const checksumPolicy = reader.choice('checksum-policy', ['require', 'mirror', 'warn']);
  if (checksumPolicy === 'mirror' && mirror === undefined) {
    reader.problem('checksum-policy', 'is mirror, but no mirror is set');
  }
  if (checksumPolicy !== 'require' && mirror !== undefined && !isPrivateWay(mirror)) {
    reader.problem(
      'checksum-policy',
      `is ${checksumPolicy}, but files from ${mirror} can be modified in transit; use https, or pass checksums-file`,
    );
  }
  const checksumsFile = reader.optional('checksums-file');
  return { mirror, mirrorLogin, checksumPolicy, checksumsFile, githubToken: reader.optional('github-token') };
}

/** The address of the mirror, and apart from it what logs in there, which no message may show. */
function readMirror(reader: InputReader): Pick<DownloadInputs, 'mirror' | 'mirrorLogin'> {
  const text = reader.optionalUrl('mirror');
  const url = URL.parse(text ?? '');
  // An invalid URL is already reported.
  if (text === undefined || url === null || !/^https?:$/.test(url.protocol)) {
    return { mirror: undefined, mirrorLogin: undefined };
  }
  const { username, password } = url;
  if (username === '' && password === '') return { mirror: text, mirrorLogin: undefined };
  url.username = '';
  url.password = '';
  const mirror = url.href.replace(/\/+$/, '');
  if (!isPrivateWay(mirror)) reader.problem('mirror', 'has a password, which http sends in plain text; use https');
  return { mirror, mirrorLogin: `${decoded(username)}:${decoded(password)}` };
}
