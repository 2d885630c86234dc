import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import { usedVariables } from '../../install/variables.ts';
import { engineOfTemplate } from '../engines/engines.ts';
import { aliasesOf } from './variable-aliases.ts';
import { describeMachines, machineCounts } from '../machines/machine-counts.ts';
import type { Template } from './render.ts';

/** A MachineHealthCheck, in the shapes of v1beta1 and of v1beta2. */
interface HealthCheck extends KubernetesObject {
  readonly spec?: {
    readonly unhealthyConditions?: readonly UnhealthyCondition[];
    readonly checks?: { readonly unhealthyNodeConditions?: readonly UnhealthyCondition[] };
  };
}

interface UnhealthyCondition {
  readonly type?: string;
  readonly status?: string;
}

interface WithExternalInfrastructure extends KubernetesObject {
  readonly spec?: { readonly infraClusterSecretRef?: unknown };
}

/** A machine template of the provider of KubeVirt. */
interface KubevirtMachineTemplate extends KubernetesObject {
  readonly spec?: {
    readonly template?: {
      readonly spec?: { readonly virtualMachineBootstrapCheck?: { readonly checkStrategy?: string } };
    };
  };
}

/** Variables of a template that clusterctl sets, or that no input is about. */
const NO_INPUT = /^(?:CONTROL_PLANE_SERVICE_TYPE|CLUSTER_NAME|NAMESPACE)$/;

/**
 * What the action cannot do, or know, about a cluster of a template that is not its own: a line each.
 * `variables`: those the action sets, by the names that its own templates have for them.
 */
export function reviewTemplate(
  { text }: Template,
  objects: readonly KubernetesObject[],
  clusterName: string,
  variables: Readonly<Record<string, string>>,
): readonly string[] {
  const used = usedVariables(text);
  const unused = Object.keys(variables).filter(
    (name) => !NO_INPUT.test(name) && ![name, ...aliasesOf(name)].some((alias) => used.has(alias)),
  );
  const inputs = unused.map((name) => name.toLowerCase().replaceAll('_', '-'));
  return [
    ...(inputs.length === 0 ? [] : [`inputs ignored by this template: ${inputs.join(', ')}`]),
    ...reviewMachines(objects),
    ...reviewHealthChecks(objects),
    ...reviewBootstrapChecks(objects),
    ...reviewNames(objects, clusterName),
    ...(objects.some((object: WithExternalInfrastructure) => object.spec?.infraClusterSecretRef !== undefined)
      ? ['its machines run on the cluster of infraClusterSecretRef, where the action does not watch them']
      : []),
  ];
}

function reviewMachines(objects: readonly KubernetesObject[]): readonly string[] {
  const counts = machineCounts(objects);
  if (counts.controlPlane !== undefined && counts.workers !== undefined) return [];
  return [
    `the number of its machines is unknown (${describeMachines(counts)}): wait-for: nodes waits for the machines that exist`,
  ];
}

function reviewHealthChecks(objects: readonly KubernetesObject[]): readonly string[] {
  const checks: readonly HealthCheck[] = objects.filter(({ kind }) => kind === 'MachineHealthCheck');
  if (checks.length === 0) {
    // Those of a topology are in its ClusterClass, on the host.
    return objects.some(hasTopology) ? [] : ['it has no MachineHealthCheck: a machine that fails is not replaced'];
  }
  const strict = checks.filter(({ spec }) =>
    [...(spec?.unhealthyConditions ?? []), ...(spec?.checks?.unhealthyNodeConditions ?? [])].some(
      ({ type, status }) => type === 'Ready' && status === 'False',
    ),
  );
  return strict.map(
    ({ metadata }) =>
      `MachineHealthCheck ${metadata.name} replaces machines that are not Ready; without a CNI, none of them becomes Ready`,
  );
}

/** The provider of KubeVirt enters VMs by SSH unless told not to, and takes none for ready that it cannot enter. */
function reviewBootstrapChecks(objects: readonly KubernetesObject[]): readonly string[] {
  const templates = objects.filter((object) => engineOfTemplate(object).name === 'kubevirt');
  const entered = templates.filter(({ spec }: KubevirtMachineTemplate) => {
    const { checkStrategy } = spec?.template?.spec?.virtualMachineBootstrapCheck ?? {};
    return checkStrategy !== 'none';
  });
  return entered.map(
    ({ metadata }) =>
      `KubevirtMachineTemplate ${metadata.name} has its provider enter each VM by SSH: where port 22 of the VMs is out of its reach, no machine becomes ready; checkStrategy: none does without`,
  );
}

function hasTopology(object: KubernetesObject): boolean {
  const { kind, spec }: Cluster = object;
  return kind === 'Cluster' && spec?.topology !== undefined;
}

function reviewNames(objects: readonly KubernetesObject[], clusterName: string): readonly string[] {
  const shared = objects.filter(({ metadata }) => !metadata.name.includes(clusterName));
  if (shared.length === 0) return [];
  const names = shared.map(({ kind, metadata }) => `${kind} ${metadata.name}`).join(', ');
  return [
    `only one cluster at a time can use this template, since these objects are not named after the cluster: ${names}`,
  ];
}
