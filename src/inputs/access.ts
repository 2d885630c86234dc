import { REGISTRY_IMAGE } from '../catalog/registry-image.ts';
import { RELAY_IMAGE } from '../catalog/relay-image.ts';
import type { InputReader } from './reading/reader.ts';

/** How the job reaches the nested API server. */
export type ApiAccess = 'auto' | 'cluster-ip' | 'node-port' | 'load-balancer' | 'tunnel';

/** How to reach the nested API server. */
export interface ReachInputs {
  readonly apiAccess: ApiAccess;
  readonly apiHost: string | undefined;
  /** What the relay of a tunnel runs on the host. */
  readonly relayImage: string;
}

/** How to reach the nested API server, and whether the steps that follow do. */
export interface AccessInputs extends ReachInputs {
  readonly setKubeconfig: boolean;
}

/** Reads how the nested API server is reached. */
export function readReach(reader: InputReader): ReachInputs {
  return {
    apiAccess: reader.choice('api-access', ['auto', 'cluster-ip', 'node-port', 'load-balancer', 'tunnel']),
    apiHost: reader.optional('api-host'),
    relayImage: reader.optionalImage('relay-image') ?? RELAY_IMAGE,
  };
}

/** Reads how the nested API server is reached, and by whom. */
export function readAccess(reader: InputReader): AccessInputs {
  return { ...readReach(reader), setKubeconfig: reader.boolean('set-kubeconfig') };
}

/** A registry for the images that the job builds. */
export interface RegistryRequest {
  /** The port of the registry on localhost, in this job and on the nodes; 0: a free one. */
  readonly port: number;
  /** What the registry runs on the host. */
  readonly image: string;
  /** A quantity: what the registry stores at most. */
  readonly size: string;
}

/** The registry that a cluster gets. */
export interface RegistryInputs {
  /** Undefined: none. */
  readonly registry: RegistryRequest | undefined;
}

/** Enough for an image and its layers. */
const LEAST_BYTES = 64 * 1024 * 1024;

/** Reads which registry a cluster gets. */
export function readRegistry(reader: InputReader): RegistryInputs {
  const isWanted = reader.boolean('registry');
  const request = {
    port: reader.integer('registry-port', 0, 65_535),
    image: reader.optionalImage('registry-image') ?? REGISTRY_IMAGE,
    size: reader.quantity('registry-size', LEAST_BYTES, '64Mi', 'a registry'),
  };
  return { registry: isWanted ? request : undefined };
}
