import type { ReleaseAsset } from './release-asset.ts';

/** The add-ons that the action knows how to set up. */
export const KNOWN_ADDONS = ['local-path-provisioner', 'metrics-server'] as const;
/** An add-on that the action knows how to set up. */
export type KnownAddon = (typeof KNOWN_ADDONS)[number];

/** An add-on as it is installed in a nested cluster. */
export interface AddonRelease {
  /** As people say it. */
  readonly title: string;
  /** Its manifest. */
  readonly asset: ReleaseAsset;
  /** The oldest minor version of Kubernetes 1 that its project supports; undefined where no version in use is too old. */
  readonly oldestMinor?: number;
}

/** The version of each known add-on, and where it comes from. */
export const ADDON_RELEASES: Readonly<Record<KnownAddon, AddonRelease>> = {
  'local-path-provisioner': {
    title: 'local-path-provisioner v0.0.37',
    // Its releases have no manifest attached. The sum of this file is known from the Go module of the release.
    asset: {
      repository: 'rancher/local-path-provisioner',
      tag: 'v0.0.37',
      name: 'deploy/local-path-storage.yaml',
      inTree: true,
    },
  },
  'metrics-server': {
    title: 'metrics-server v0.9.0',
    // GitHub has the SHA-256 of this asset.
    asset: { repository: 'kubernetes-sigs/metrics-server', tag: 'v0.9.0', name: 'components.yaml' },
    oldestMinor: 34, // README.md, "Compatibility Matrix"
  },
};

/**
 * What local-path-provisioner runs on a node to make and to remove a volume. Its manifest names the image without a version;
 * the digest is that of the image for all platforms. No registry was asked: public files name it.
 */
export const HELPER_IMAGE =
  'docker.io/library/busybox:1.37.0@sha256:bdf57e528e45e4433820e045b29b4597825a1c9e38353532d90a01445013f82e';
