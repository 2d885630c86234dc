/** A released version, without the leading `v`. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** `1.36.3` */
  readonly text: string;
}

const VERSION = /^v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})((?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)$/;

/** Parses `1.36.3` or `v1.36.3`, with a pre-release or build suffix if there is one; undefined for anything else. */
export function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text);
  if (match === null) return undefined;
  const [, major, minor, patch, suffix = ''] = match;
  return {
    major: Number(major),
    minor: Number(minor),
    patch: Number(patch),
    text: `${Number(major)}.${Number(minor)}.${Number(patch)}${suffix}`,
  };
}

/** Negative when `one` is older than `other`, 0 when both are the same. A pre-release is older than its release. */
export function compareVersions(one: Version, other: Version): number {
  const preRelease = ({ text }: Version): string => /-[^+]*/.exec(text)?.[0].slice(1) ?? '';
  const [theirs, ours] = [preRelease(other), preRelease(one)];
  const byNumber = compareMinor(one, other) || one.patch - other.patch;
  if (byNumber !== 0 || theirs === ours) return byNumber;
  if (theirs === '' || ours === '') return ours === '' ? 1 : -1;
  return ours.localeCompare(theirs, 'en', { numeric: true });
}

/** Negative when `one` is older than `other` by major, then minor version; 0 when both are the same. */
export function compareMinor(one: Version, other: { readonly major: number; readonly minor: number }): number {
  return one.major - other.major || one.minor - other.minor;
}
