import { describe, expect, it } from 'vitest';
import {
  completeVersions,
  lockedVersion,
  MINORS,
  missingSums,
  readLock,
  type Lock,
  type LockedVersion,
} from '../../../images/lock.ts';
import { NODE_PROGRAMS, pauseImage } from '../../../images/node.ts';

const sum = 'a'.repeat(64);
const complete: LockedVersion = {
  programs: Object.fromEntries(NODE_PROGRAMS.map((name) => [name, sum])),
  images: { 'registry.k8s.io/pause:3.10': `sha256:${sum}` },
};
const lockOf = (version: LockedVersion): Lock => ({ debian: '20261101T000000Z', kubernetes: { 'v1.34.1': version } });

describe('images/lock.json', () => {
  const lock = readLock();
  const versions = Object.entries(lock.kubernetes);

  it('names a snapshot of Debian', () => {
    expect(lock.debian).toMatch(/^\d{8}T\d{6}Z$/);
  });

  it.each(versions)('has the sums of %s, or says which are missing', (version, { images }) => {
    expect(MINORS.map((minor) => `v${minor}`)).toContain(version.replace(/\.\d+$/, ''));
    const missing = missingSums(lock, version);
    // The programs of a version are recorded before it is listed, and its images all together.
    expect(missing).toEqual(Object.keys(images).length > 0 ? [] : ['the images that kubeadm runs']);
    if (missing.length === 0) expect(pauseImage(Object.keys(images))).toContain('/pause:');
  });
});

describe('a lock', () => {
  it('gives the sums of a version that has them all', () => {
    expect(lockedVersion(lockOf(complete), 'v1.34.1')).toEqual(complete);
    expect(completeVersions(lockOf(complete))).toEqual(['v1.34.1']);
  });

  it.each([
    ['a program', { ...complete, programs: { ...complete.programs, kubelet: '' } }, 'kubelet'],
    ['the images', { ...complete, images: {} }, 'the images that kubeadm runs'],
    [
      'a digest',
      { ...complete, images: { 'registry.k8s.io/etcd:3.6.4-0': 'sha256:1' } },
      'registry.k8s.io/etcd:3.6.4-0',
    ],
  ])('refuses a version without the sum of %s', (_what, version, missing) => {
    expect(completeVersions(lockOf(version))).toEqual([]);
    expect(() => lockedVersion(lockOf(version), 'v1.34.1')).toThrow(
      `no sums for Kubernetes v1.34.1: ${missing}. Record them with: npm run image -- --record --kubernetes v1.34.1`,
    );
  });

  it('refuses a version that it does not have', () => {
    expect(() => lockedVersion(lockOf(complete), 'v1.35.0')).toThrow('kubeadm, kubelet, kubectl, the images');
  });
});
