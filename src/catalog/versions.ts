/** The version of everything `create` may install, each with its leading `v`. */
export interface ComponentVersions {
  readonly clusterApi: string;
  readonly certManager: string;
  readonly virtinkProvider: string;
  readonly virtink: string;
  readonly kubevirtProvider: string;
  readonly kubevirt: string;
  readonly ipam: string;
  readonly cdi: string;
}
