import { AUTOMATIC_INFRASTRUCTURES } from '../catalog/infrastructures.ts';
import { requiredComponents } from '../catalog/components/required-components.ts';
import {
  clusterApiProblem,
  contractOf,
  isInfrastructureProvider,
  type ContractOf,
} from '../catalog/components/supported-versions.ts';
import type { ComponentVersions } from '../catalog/versions.ts';
import type { InputReader } from './reading/reader.ts';
import type { TemplateInputs } from './template.ts';

/** Reads the version of everything that may be installed. */
export function readVersions(reader: InputReader, infrastructure: TemplateInputs['infrastructure']): ComponentVersions {
  const clusterApi = reader.version('cluster-api-version');
  const versions = {
    clusterApi: `v${clusterApi.text}`,
    certManager: `v${reader.version('cert-manager-version').text}`,
    virtinkProvider: `v${reader.version('virtink-provider-version').text}`,
    virtink: `v${reader.version('virtink-version').text}`,
    kubevirtProvider: `v${reader.version('kubevirt-provider-version').text}`,
    kubevirt: `v${reader.version('kubevirt-version').text}`,
    ipam: `v${reader.version('ipam-version').text}`,
    cdi: `v${reader.version('cdi-version').text}`,
  };
  const refused = clusterApi.major > 0 ? clusterApiProblem(clusterApi, contracts(versions, infrastructure)) : undefined;
  if (refused !== undefined) {
    reader.problem('cluster-api-version', `v${clusterApi.text} ${refused.problem}; use ${refused.supported}`);
  }
  return versions;
}

/** How far the providers go with Cluster API that may be used; nothing is known of one that only has a name. */
function contracts(
  versions: ComponentVersions,
  infrastructure: TemplateInputs['infrastructure'],
): readonly ContractOf[] {
  if (typeof infrastructure === 'object') return [];
  const possible = infrastructure === 'auto' ? AUTOMATIC_INFRASTRUCTURES : [infrastructure];
  return possible.flatMap((one) =>
    requiredComponents(versions, one)
      .filter(isInfrastructureProvider)
      .map((provider) => contractOf(provider, [], provider.version)),
  );
}
