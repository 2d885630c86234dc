/** The infrastructures that the action has a template for, the default first: src/cluster/engines has a file for each. */
export const INFRASTRUCTURES = ['virtink', 'kubevirt', 'in-memory'] as const;

/** An infrastructure that the action has a template for. */
export type Infrastructure = (typeof INFRASTRUCTURES)[number];

/** Those that `infrastructure: auto` chooses from: the first that the host serves in full. */
export const AUTOMATIC_INFRASTRUCTURES: readonly Infrastructure[] = ['kubevirt', 'virtink'];

/** An infrastructure provider that clusterctl knows, for templates of the user's own. */
export interface InfrastructureProvider {
  readonly name: string;
  readonly version: string;
}

/** The infrastructures whose clusters can be persistent. */
export const PERSISTENT_INFRASTRUCTURES: readonly Infrastructure[] = ['virtink'];

/**
 * The infrastructure that a user names; undefined when it is none of the action's. In-memory machines come with Cluster
 * API's provider `docker`, and are called by its name too.
 */
export function infrastructureNamed(text: string): Infrastructure | undefined {
  const name = text === 'docker' ? 'in-memory' : text;
  return INFRASTRUCTURES.find((infrastructure) => infrastructure === name);
}
