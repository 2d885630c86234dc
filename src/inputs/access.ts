import type { InputReader } from './reading/reader.ts';

/** How the job reaches the nested API server. */
export type ApiAccess = 'auto' | 'cluster-ip' | 'node-port' | 'load-balancer';

/** How to reach the nested API server, and whether the steps that follow do. */
export interface AccessInputs {
  readonly apiAccess: ApiAccess;
  readonly apiHost: string | undefined;
  readonly setKubeconfig: boolean;
}

/** Reads how the nested API server is reached. */
export function readAccess(reader: InputReader): AccessInputs {
  return {
    apiAccess: reader.choice('api-access', ['auto', 'cluster-ip', 'node-port', 'load-balancer']),
    apiHost: reader.optional('api-host'),
    setKubeconfig: reader.boolean('set-kubeconfig'),
  };
}
