import type { InputReader } from './reader.ts';

/** What a download must prove before it is used. `mirror` trusts the sums published beside the assets of the mirror. */
export type ChecksumPolicy = 'require' | 'mirror' | 'warn';

/** Where release assets come from and how they are verified. */
export interface DownloadInputs {
  /** Replaces https://github.com; undefined for GitHub itself. */
  readonly mirror: string | undefined;
  readonly checksumPolicy: ChecksumPolicy;
  readonly githubToken: string | undefined;
}

/** Reads where release assets come from. */
export function readDownloads(reader: InputReader): DownloadInputs {
  const mirror = reader.optionalUrl('mirror');
  const checksumPolicy = reader.choice('checksum-policy', ['require', 'mirror', 'warn']);
  if (checksumPolicy === 'mirror' && mirror === undefined) {
    reader.problem('checksum-policy', 'is mirror, but no mirror is set');
  }
  return { mirror, checksumPolicy, githubToken: reader.optional('github-token') };
}
