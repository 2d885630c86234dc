import type { ReleaseAsset } from './release-asset.ts';

/** The CNIs that the action knows how to set up. */
export const KNOWN_CNIS = ['calico', 'cilium', 'flannel'] as const;
/** A CNI that the action knows how to set up. */
export type KnownCni = (typeof KNOWN_CNIS)[number];

/** A CNI as it is installed in a nested cluster. */
export interface CniRelease {
  /** As people say it. */
  readonly title: string;
  /** Its manifest, or its chart. */
  readonly asset: ReleaseAsset;
  /** The UDP port of its VXLAN packets between machines. */
  readonly vxlanPort: number;
}

/**
 * The version of each known CNI, and where it comes from. All are files of a repository at a tag or commit: Calico and
 * Cilium attach no manifest to their releases, and the sums of these files are known without asking anybody.
 * VXLAN is what all three have in common, and what the guest kernel has: BGP and plain routing would put addresses of
 * pods on the host's network, which knows none of them.
 */
export const CNI_RELEASES: Readonly<Record<KnownCni, CniRelease>> = {
  calico: {
    title: 'Calico v3.31.7',
    asset: { repository: 'projectcalico/calico', tag: 'v3.31.7', name: 'manifests/calico-vxlan.yaml', inTree: true },
    vxlanPort: 4789, // felix/config, VXLANPort
  },
  cilium: {
    title: 'Cilium v1.18.12',
    asset: {
      repository: 'cilium/charts',
      // The repository has no tags; this is the commit that added the chart.
      tag: 'ee5ca22d35cb6dc4a20fc019a387bc2d70206ccc',
      name: 'cilium-1.18.12.tgz',
      inTree: true,
    },
    vxlanPort: 8472, // value tunnelPort
  },
  flannel: {
    title: 'flannel v0.26.7',
    asset: { repository: 'flannel-io/flannel', tag: 'v0.26.7', name: 'Documentation/kube-flannel.yml', inTree: true },
    vxlanPort: 8472, // Documentation/backends.md: the kernel's default
  },
};
