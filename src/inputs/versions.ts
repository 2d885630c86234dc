import type { ComponentVersions } from '../catalog/versions.ts';
import { clusterApiProblem } from '../catalog/required-components.ts';
import type { InputReader } from './reading/reader.ts';

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
    kubevirtProvider: `v${reader.version('kubevirt-provider-version').text}`,
    kubevirt: `v${reader.version('kubevirt-version').text}`,
    ipam: `v${reader.version('ipam-version').text}`,
    cdi: `v${reader.version('cdi-version').text}`,
  };
}
