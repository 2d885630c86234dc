import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_PROGRAMS } from './node.ts';

/** What the downloads of one version of Kubernetes must be. */
export interface LockedVersion {
  /** SHA-256 sums of the release's programs, by name. */
  readonly programs: Readonly<Record<string, string>>;
  /** Digests of the images that kubeadm runs, by name. Empty until they are recorded. */
  readonly images: Readonly<Record<string, string>>;
}

/** Everything that a node image is made of and that is downloaded. */
export interface Lock {
  /** The time of the snapshot of Debian. Its packages are verified by apt, with Debian's keys. */
  readonly debian: string;
  readonly kubernetes: Readonly<Record<string, LockedVersion>>;
}

/** The minor versions of Kubernetes that node images are made of, the oldest first. */
export const MINORS = ['1.31', '1.32', '1.33', '1.34', '1.35', '1.36'] as const;

const file = join(import.meta.dirname, 'lock.json');
const SUM = /^[0-9a-f]{64}$/;

/** Reads images/lock.json. */
export function readLock(): Lock {
  return JSON.parse(readFileSync(file, 'utf8')) as Lock;
}

/** Writes images/lock.json, with the versions in their order. */
export function writeLock({ debian, kubernetes }: Lock): void {
  const versions = Object.entries(kubernetes).sort(([one], [other]) =>
    one.localeCompare(other, 'en', { numeric: true }),
  );
  writeFileSync(file, `${JSON.stringify({ debian, kubernetes: Object.fromEntries(versions) }, null, 2)}\n`);
}

/** Names the downloads of a version whose sums are not in the lock, or are not valid. */
export function missingSums(lock: Lock, version: string): readonly string[] {
  const locked = lock.kubernetes[version];
  const programs = NODE_PROGRAMS.filter((name) => !SUM.test(locked?.programs[name] ?? ''));
  const images = Object.entries(locked?.images ?? {});
  const digests = images.filter(([, digest]) => !SUM.test(digest.replace(/^sha256:/, ''))).map(([name]) => name);
  return [...programs, ...(images.length === 0 ? ['the images that kubeadm runs'] : digests)];
}

/** Returns what is locked of a version. Throws when a sum is missing: nothing is downloaded that cannot be verified. */
export function lockedVersion(lock: Lock, version: string): LockedVersion {
  const missing = missingSums(lock, version);
  const locked = lock.kubernetes[version];
  if (missing.length === 0 && locked !== undefined) return locked;
  throw new Error(
    `images/lock.json has no sums for Kubernetes ${version}: ${missing.join(', ')}. ` +
      `Record them with: npm run image -- --record --kubernetes ${version}`,
  );
}

/** The versions whose downloads are all locked, the oldest first. */
export function completeVersions(lock: Lock): readonly string[] {
  return Object.keys(lock.kubernetes).filter((version) => missingSums(lock, version).length === 0);
}
