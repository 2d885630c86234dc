import { parseVariables, type Variables } from '../values/variables.ts';
import type { InputReader } from './reading/reader.ts';

/** Values for the variables of templates and of providers' manifests, which do not see the job's environment. */
export interface VariableInputs {
  /** For a template of the user's own, in capitals: clusterctl looks for them so. */
  readonly templateVariables: Variables;
  /** For the providers that `clusterctl init` installs. */
  readonly providerVariables: Variables;
}

/** The inputs that set variables, where their names are not the same but for capitals and dashes. */
const INPUTS: Readonly<Record<string, string>> = {
  CLUSTER_NAME: 'name',
  NAMESPACE: 'namespace',
  CONTROL_PLANE_SERVICE_TYPE: 'api-access',
  IP_POOL_NAME: 'name',
  NODE_VM_IMAGE_TEMPLATE: 'node-image',
};
const SAME_NAME =
  /^(?:KUBERNETES_VERSION|NODE_IMAGE|POD_NETWORK_CIDR|SERVICE_CIDR|(?:CONTROL_PLANE|WORKER)_MACHINE_(?:COUNT|CPU_CORES|MEMORY_SIZE|(?:KERNEL|ROOTFS)_IMAGE|ROOTFS_SIZE))$/;

/** Reads the values of variables. `hasTemplate`: whether there is a template that has a use for some. */
export function readVariables(reader: InputReader, hasTemplate: boolean): VariableInputs {
  const templateVariables = Object.fromEntries(
    Object.entries(read(reader, 'template-variables')).map(([name, value]) => [name.toUpperCase(), value]),
  );
  const names = Object.keys(templateVariables);
  if (names.length > 0 && !hasTemplate) {
    reader.problem(
      'template-variables',
      'is set, but the template of the action does not use it; set cluster-template',
    );
  }
  for (const name of names) {
    const input = INPUTS[name] ?? (SAME_NAME.test(name) ? name.toLowerCase().replaceAll('_', '-') : undefined);
    if (input !== undefined)
      reader.problem('template-variables', `${name} is set by the input ${input}; use that input`);
  }
  return { templateVariables, providerVariables: read(reader, 'provider-variables') };
}

function read(reader: InputReader, input: 'template-variables' | 'provider-variables'): Variables {
  const parsed = parseVariables(reader.optional(input) ?? '');
  if ('variables' in parsed) return parsed.variables;
  for (const problem of parsed.problems) reader.problem(input, problem);
  return {};
}
