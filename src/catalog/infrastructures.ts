/** The infrastructures that the action has a template for: src/cluster/engines has a file for each. */
export type Infrastructure = 'virtink' | 'in-memory';

/** An infrastructure provider that clusterctl knows, for templates of the user's own. */
export interface InfrastructureProvider {
  readonly name: string;
  readonly version: string;
}

/** What inputs say about an infrastructure. */
interface InfrastructureInputs {
  /** The value of the input `infrastructure` that asks for it. */
  readonly value: string;
  /** Whether its clusters can be persistent. */
  readonly canPersist: boolean;
}

/** The infrastructures as inputs name them. Cluster API's in-memory machines come with its provider `docker`. */
export const INFRASTRUCTURES: Readonly<Record<Infrastructure, InfrastructureInputs>> = {
  virtink: { value: 'virtink', canPersist: true },
  'in-memory': { value: 'docker', canPersist: false },
};

/** The names of the infrastructures, the default first. */
export const INFRASTRUCTURE_NAMES = Object.keys(INFRASTRUCTURES) as readonly Infrastructure[];
