import { describe, expect, it } from 'vitest';
import { removedIn } from '../../../src/catalog/kubelet-flags.ts';

describe('a flag of the kubelet', () => {
  const at = (minor: number): Parameters<typeof removedIn>[1] => ({ major: 1, minor, patch: 0, text: `1.${minor}.0` });

  it.each([
    ['pod-infra-container-image', 34, undefined],
    ['pod-infra-container-image', 35, '1.35'],
    ['pod-infra-container-image', 36, '1.35'],
    ['container-runtime', 27, '1.27'],
    ['cloud-config', 33, undefined],
    ['keep-terminated-pod-volumes', 31, '1.31'],
    ['node-labels', 36, undefined],
  ])('%s at 1.%i: removed in %s', (flag, minor, removed) => {
    expect(removedIn(flag, at(minor))).toBe(removed);
  });
});
