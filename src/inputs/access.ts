import { RELAY_IMAGE } from '../catalog/relay-image.ts';
import type { InputReader } from './reading/reader.ts';

/** How the job reaches the nested API server. */
export type ApiAccess = 'auto' | 'cluster-ip' | 'node-port' | 'load-balancer' | 'tunnel';

/** How to reach the nested API server, and whether the steps that follow do. */
export interface AccessInputs {
  readonly apiAccess: ApiAccess;
  readonly apiHost: string | undefined;
  /** What the relay of a tunnel runs on the host. */
  readonly relayImage: string;
  readonly setKubeconfig: boolean;
}

/** Reads how the nested API server is reached. */
export function readAccess(reader: InputReader): AccessInputs {
  return {
    apiAccess: reader.choice('api-access', ['auto', 'cluster-ip', 'node-port', 'load-balancer', 'tunnel']),
    apiHost: reader.optional('api-host'),
    relayImage: reader.optionalImage('relay-image') ?? RELAY_IMAGE,
    setKubeconfig: reader.boolean('set-kubeconfig'),
  };
}
