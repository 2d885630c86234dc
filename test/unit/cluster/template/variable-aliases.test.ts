import { expect, it } from 'vitest';
import { withAliases } from '../../../../src/cluster/template/variable-aliases.ts';

it('adds the names that other templates use for variables', () => {
  const image = 'registry.example.com/rootfs';
  expect(withAliases({ POD_NETWORK_CIDR: '10.95.0.0/16', WORKER_MACHINE_ROOTFS_IMAGE: image })).toEqual({
    POD_NETWORK_CIDR: '10.95.0.0/16',
    VIRTINK_POD_NETWORK_CIDR: '10.95.0.0/16',
    POD_CIDR: '10.95.0.0/16',
    WORKER_MACHINE_ROOTFS_IMAGE: image,
    VIRTINK_WORKER_MACHINE_ROOTFS_IMAGE: image,
    VIRTINK_WORKER_MACHINE_ROOTFS_CDI_IMAGE: image,
  });
});

it.each([
  ['smartxworks/capch-rootfs-1.36.3', undefined],
  ['smartxworks/capch-rootfs-cdi-1.36.3', 'smartxworks/capch-rootfs-cdi-1.36.3'],
])('uses %s as the image of a persistent machine: %s', (image, persistent) => {
  const given = withAliases({ CONTROL_PLANE_MACHINE_ROOTFS_IMAGE: image });
  expect(given['VIRTINK_CONTROL_PLANE_MACHINE_ROOTFS_IMAGE']).toBe(image);
  expect(given['VIRTINK_CONTROL_PLANE_MACHINE_ROOTFS_CDI_IMAGE']).toBe(persistent);
});
