import { describe, expect, it } from 'vitest';
import { KUBEVIRT_NODE_IMAGES } from '../../../src/catalog/node-images.ts';
import { choiceOn } from '../../../src/inputs.ts';
import { problems, readChosen, readCreate } from './given-inputs.ts';

const kubevirt = { infrastructure: 'kubevirt' };

describe('kubernetes-version', () => {
  it.each([
    ['virtink', '', '1.24.0'],
    ['virtink', '1.24', '1.24.0'],
    ['virtink', 'latest', '1.24.0'],
    ['virtink', 'v1.36.3', '1.36.3'],
    ['kubevirt', '', '1.34.1'],
    ['kubevirt', '1.33', '1.33.5'],
    ['kubevirt', 'v1.30', '1.30.1'],
    ['kubevirt', 'v1.34.1', '1.34.1'],
    ['kubevirt', 'latest', '1.36.1'],
    ['in-memory', '', '1.34.1'],
    ['in-memory', '1.32.7', '1.32.7'],
  ])('on %s, asked for as "%s", is %s', (infrastructure, asked, version) => {
    const chosen = readChosen({ infrastructure, 'kubernetes-version': asked });
    expect(chosen.kubernetesVersion.text).toBe(version);
  });

  it.each([
    [
      'kubevirt',
      '1.28',
      /^kubernetes-version: no image of Kubernetes 1\.28 is known for kubevirt, only 1\.29\.5, .*; for any other/,
    ],
    [
      'kubevirt',
      '1.34.2',
      /^kubernetes-version: no image of Kubernetes 1\.34\.2 is known for kubevirt, .* a full version and node-image$/,
    ],
    [
      'virtink',
      '1.30',
      /^kubernetes-version: no image of Kubernetes 1\.30 is known for virtink, only 1\.24\.0; set infrastructure: kubevirt, .* the images/,
    ],
    ['kubevirt', '1.24', /; set infrastructure: virtink, which has one; /],
    ['in-memory', '1.30', /^kubernetes-version: no image of Kubernetes 1\.30 is known; use a full version/],
  ])('on %s, asked for as %s, is refused with what there is', (infrastructure, asked, problem) => {
    expect(problems({ infrastructure, 'kubernetes-version': asked })).toEqual([expect.stringMatching(problem)]);
  });

  it('may be any full version with an image of the user, and not a minor one, whose patch nobody knows', () => {
    const own = { ...kubevirt, 'node-image': 'registry.example.com/node:1' };
    expect(readChosen({ ...own, 'kubernetes-version': '1.35.7' })).toMatchObject({
      kubernetesVersion: { text: '1.35.7' },
      images: { NODE_IMAGE: 'registry.example.com/node:1' },
    });
    expect(problems({ ...own, 'kubernetes-version': '1.35' })).toEqual([
      expect.stringMatching(/^kubernetes-version: .*full version.*node-image/),
    ]);
  });

  it('needs no known image where a template of the user may have one', () => {
    const given = { ...kubevirt, 'cluster-template': 't.yaml', 'kubernetes-version': '1.28.3' };
    expect(readChosen(given)).toMatchObject({ kubernetesVersion: { text: '1.28.3' }, images: {} });
  });
});

describe('the images of machines', () => {
  it.each([
    [{ ...kubevirt, 'kubernetes-version': '1.36' }, / from \S+\/shalb\/\S+:v1\.36\.1, published by SHALB/],
    [{ ...kubevirt, 'node-image': 'n:1', 'kubernetes-version': '1.36.1' }, /^ from n:1$/],
    [{ infrastructure: 'virtink', 'worker-machine-rootfs-image': 'r:1' }, /^ from \S+\/capch-rootfs-1\.24\.0 and r:1$/],
    [{ infrastructure: 'in-memory' }, /^$/],
    [{ ...kubevirt, 'cluster-template': 't.yaml' }, /^$/],
  ])('are named where the action knows them: %j', (given, origin) => {
    expect(readChosen(given).origin).toMatch(origin);
  });

  it.each(KUBEVIRT_NODE_IMAGES)('of KubeVirt with Kubernetes $version are $image', ({ version, image }) => {
    expect(readChosen({ ...kubevirt, 'kubernetes-version': version }).images).toEqual({ NODE_IMAGE: image });
  });

  it('of Virtink are those for the version, unless some are given', () => {
    const image = 'registry.example.com:5000/r:1';
    const given = { infrastructure: 'virtink', 'kubernetes-version': 'v1.36.3', 'worker-machine-rootfs-image': image };
    expect(readChosen(given).images).toEqual({
      CONTROL_PLANE_MACHINE_KERNEL_IMAGE: 'smartxworks/capch-kernel-5.15.12',
      CONTROL_PLANE_MACHINE_ROOTFS_IMAGE: 'smartxworks/capch-rootfs-1.36.3',
      CONTROL_PLANE_MACHINE_ROOTFS_SIZE: '4Gi',
      WORKER_MACHINE_KERNEL_IMAGE: 'smartxworks/capch-kernel-5.15.12',
      WORKER_MACHINE_ROOTFS_IMAGE: image,
      WORKER_MACHINE_ROOTFS_SIZE: '4Gi',
    });
  });

  it.each([
    ['control-plane-machine-kernel-image', 'k:1', /is for Virtink; KubeVirt takes node-image/],
    ['worker-machine-rootfs-image', 'r:1', /is for Virtink; KubeVirt takes node-image/],
    ['worker-machine-rootfs-size', '20Gi', /is for Virtink; a disk of KubeVirt is as large as its node-image/],
  ])('of KubeVirt are not set by %s', (input, value, problem) => {
    const [only, ...more] = problems({ ...kubevirt, [input]: value });
    expect(only).toMatch(new RegExp(`^${input}: `));
    expect(only).toMatch(problem);
    expect(more).toEqual([]);
  });

  it('of another infrastructure are not set by node-image', () => {
    for (const infrastructure of ['virtink', 'in-memory']) {
      expect(problems({ infrastructure, 'node-image': 'n:1' })).toEqual([
        expect.stringMatching(/^node-image: is for infrastructure: kubevirt/),
      ]);
    }
  });
});

it('machines are persistent on Virtink alone, with the reason for KubeVirt', () => {
  const inputs = { ...readCreate(), persistent: true };
  expect(choiceOn('virtink', inputs)).toHaveProperty('images');
  expect(choiceOn('kubevirt', inputs)).toEqual({
    problems: [
      {
        input: 'persistent',
        problem: expect.stringContaining('needs infrastructure: virtink; the provider') as string,
      },
    ],
  });
});
