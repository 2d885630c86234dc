/** A version for everything that may be installed, each another. */
export const versions = {
  clusterApi: 'v1.14.2',
  certManager: 'v1.18.0',
  virtinkProvider: 'v0.7.0',
  kubevirtProvider: 'v0.11.2',
  kubevirt: 'v1.8.4',
  virtink: 'v0.15.0',
  ipam: 'v1.2.1',
  cdi: 'v1.55.2',
} as const;
