import { describe, expect, it } from 'vitest';
import { problems, readCreate } from './given-inputs.ts';

const SUM = 'a'.repeat(64);
const URL_OF_MANIFEST = 'https://example.com/cni.yaml?version=1';

describe('cni', () => {
  it.each([
    ['', { kind: 'none' }],
    ['none', { kind: 'none' }],
    ['calico', { kind: 'known', name: 'calico' }],
    ['cilium', { kind: 'known', name: 'cilium' }],
    ['flannel', { kind: 'known', name: 'flannel' }],
    ['cni.yaml', { kind: 'file', path: 'cni.yaml' }],
    ['./deploy/cni', { kind: 'file', path: './deploy/cni' }],
    [`${URL_OF_MANIFEST}#sha256=${SUM}`, { kind: 'url', url: URL_OF_MANIFEST, sha256: SUM }],
  ])('"%s" is %o', (cni, input) => expect(readCreate({ cni }).cni).toEqual(input));

  it.each<[string, Readonly<Record<string, string>>, string]>([
    [
      'calicoo',
      {},
      '"calicoo" is not supported; use one of none, calico, cilium, flannel, or a path or https URL of a manifest',
    ],
    [
      URL_OF_MANIFEST,
      {},
      'https://example.com/cni.yaml has no checksum; append #sha256= and its checksum, or set checksum-policy to warn',
    ],
    [
      'calico',
      { 'pod-network-cidr': 'fd00:1::/48' },
      'calico is set up for IPv4 only, and pod-network-cidr is IPv6; set cni to a manifest for IPv6',
    ],
  ])('is refused as %s with %o', (cni, others, problem) => {
    expect(problems({ cni, ...others })).toEqual([`cni: ${problem}`]);
  });
});
