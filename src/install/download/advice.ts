import { WebError } from '../../web.ts';

/** Who chose what is downloaded: the version inputs, an address in an input, or this action. */
export type Origin = 'versions' | 'address' | 'action';

const SET_MIRROR = 'set mirror to a server that has it';

/** What to do where GitHub, or the mirror, has no such file. */
export function adviceOnMissing(origin: Origin, isOnMirror: boolean): string {
  switch (origin) {
    case 'versions':
      return isOnMirror
        ? 'put it on the mirror under this path, or check the version inputs'
        : 'check the version inputs: this release, or this file of it, does not exist';
    case 'address':
      return isOnMirror
        ? 'put it on the mirror under this path, or check the address'
        : 'check the address: there is no such file';
    case 'action':
      return isOnMirror ? 'put it on the mirror under this path' : `${SET_MIRROR}: no input changes this address`;
  }
}

/** What to do where the mirror has an asset but not its sum, which `checksum-policy: mirror` needs. */
export const ADVICE_ON_MISSING_SUM =
  'put the checksum next to the file on the mirror, in the format of sha256sum, or pass it in checksums-file';

/** Where a download comes from, and what to do when there is nothing. */
export interface DownloadPlace {
  /** Whether it is at github.com, which `mirror` can replace. */
  readonly isOnGithub: boolean;
  readonly isOnMirror: boolean;
  /** Whether a `mirror` is set. */
  readonly hasMirror: boolean;
  readonly whenMissing: string;
}

/** What to do when a download fails. */
export function adviceOnDownload(thrown: unknown, place: DownloadPlace): string {
  const orMirror = place.isOnGithub && !place.hasMirror ? ', or set mirror' : '';
  const status = thrown instanceof WebError ? thrown.status : undefined;
  if (status === 404 || status === 410) return place.whenMissing;
  if (thrown instanceof WebError && thrown.isLimited) return `run the job again later${orMirror}`;
  if (status === 401 || status === 403) {
    if (place.isOnMirror) return 'check the user and the password in mirror';
    if (place.isOnGithub) return `check what the proxy or firewall of this runner lets through${orMirror}`;
    return 'the action has no login for this address: download the file in an earlier step, and pass its path';
  }
  return `check that this runner can reach the address (HTTPS_PROXY, NO_PROXY)${orMirror}`;
}
