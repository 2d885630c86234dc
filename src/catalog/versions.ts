/** The version of everything `create` may install, each with its leading `v`. */
export interface ComponentVersions {
  readonly clusterApi: string;
  readonly certManager: string;
  readonly virtinkProvider: string;
  readonly virtink: string;
  readonly ipam: string;
  readonly cdi: string;
}

/** The infrastructure providers that the action has a template for. */
export const INFRASTRUCTURES = ['virtink', 'docker'] as const;
/** An infrastructure provider that the action has a template for. */
export type Infrastructure = (typeof INFRASTRUCTURES)[number];
/** An infrastructure provider that clusterctl knows, for templates of the user's own. */
export interface InfrastructureProvider {
  readonly name: string;
  readonly version: string;
}
