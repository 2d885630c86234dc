import { clusterApiProblem } from '../install/components.ts';
import type { InputReader } from './reader.ts';

/** The version of everything `create` may install, each with its leading `v`. */
export interface ComponentVersions {
  readonly clusterApi: string;
  readonly certManager: string;
  readonly virtinkProvider: string;
  readonly virtink: string;
  readonly ipam: string;
  readonly cdi: string;
}

/** Reads the version of everything that may be installed. */
export function readVersions(reader: InputReader): ComponentVersions {
  const clusterApi = reader.version('cluster-api-version');
  const problem = clusterApi.major > 0 ? clusterApiProblem(clusterApi) : undefined;
  if (problem !== undefined) reader.problem('cluster-api-version', `v${clusterApi.text} ${problem}; v1.11 to v1.15`);
  return {
    clusterApi: `v${clusterApi.text}`,
    certManager: `v${reader.version('cert-manager-version').text}`,
    virtinkProvider: `v${reader.version('virtink-provider-version').text}`,
    virtink: `v${reader.version('virtink-version').text}`,
    ipam: `v${reader.version('ipam-version').text}`,
    cdi: `v${reader.version('cdi-version').text}`,
  };
}
