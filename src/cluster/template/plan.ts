import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ManifestError, parseManifest } from '../../host/api/manifest.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import { firstLineOf, KnestError } from '../../errors.ts';
import type { Infrastructure, InfrastructureProvider } from '../../catalog/infrastructures.ts';
import type { ChosenInputs, MachineInputs } from '../../inputs.ts';
import type { Clusterctl } from '../../install/clusterctl.ts';
import type { Variables } from '../../values/variables.ts';
import { withAliases } from './variable-aliases.ts';
import { fingerprint } from './fingerprint.ts';
import type { ClusterIdentity } from '../identity/identity.ts';
import { machineCounts, type MachineCounts } from '../machines/machine-counts.ts';
import { withListedRanges, type ClusterNetworks } from './networks.ts';
import { persist } from '../machines/persistent-machines.ts';
import { notObjects, renderTemplate, type Template } from './render.ts';
import { withRequests } from '../machines/machine-requests.ts';
import { isCluster, withOwner } from '../identity/owner-labels.ts';

/** The objects of a nested cluster; the Cluster itself apart, since all others hang on it. */
export interface RenderedCluster {
  readonly cluster: KubernetesObject;
  readonly others: readonly KubernetesObject[];
  readonly machines: MachineCounts;
}

/** All that is to be created for a cluster. */
export interface ClusterObjects extends RenderedCluster {
  /** What tells these objects from any others. */
  readonly fingerprint: string;
}

/**
 * The plan for a cluster that has more objects than those of its template. With a registry, they are changed once its
 * address is known.
 */
export function planOf(
  rendered: RenderedCluster,
  addons: readonly KubernetesObject[],
  hasRegistry = false,
): ClusterObjects {
  const others = [...rendered.others, ...addons];
  const wishes = hasRegistry ? [{ registry: true }] : [];
  return { ...rendered, others, fingerprint: fingerprint([rendered.cluster, ...others, ...wishes]) };
}

/**
 * The action's own template for an infrastructure: beside this file, and beside the bundle. Throws KNEST_TEMPLATE when it
 * has none.
 */
export async function ownTemplate(infrastructure: Infrastructure | InfrastructureProvider): Promise<Template> {
  if (typeof infrastructure === 'object') {
    const problem = `infrastructure ${infrastructure.name}:${infrastructure.version} needs a cluster-template`;
    throw new KnestError({ code: 'KNEST_TEMPLATE', problem });
  }
  const file = join(import.meta.dirname, 'templates', `${infrastructure}.yaml`);
  return { text: await readFile(file, 'utf8'), origin: `of the action for ${infrastructure}` };
}

/** What renders a template, and which one. */
export interface TemplateSource {
  readonly clusterctl: Clusterctl;
  /** The user's template; undefined for the action's own. */
  readonly template: Template | undefined;
  /** The environment of the job, which templates do not see. */
  readonly env: NodeJS.ProcessEnv;
}

/** Renders the cluster's objects, each with its owner and expiry. Throws KNEST_TEMPLATE. */
export async function render(
  { clusterctl, template: custom, env }: TemplateSource,
  inputs: ChosenInputs,
  identity: ClusterIdentity,
  networks: ClusterNetworks,
): Promise<RenderedCluster> {
  const template = custom ?? (await ownTemplate(inputs.infrastructure));
  const text = await renderTemplate(clusterctl, template, allVariables(inputs, identity, networks), env);
  const parsed = parseTemplate(text).map(withListedRanges);
  // A template of the user's says itself what its machines request.
  const made = custom === undefined ? parsed.map(withRequests) : parsed;
  const wanted = inputs.persistent ? persist(made, identity.name, inputs) : made;
  const objects = wanted.map((object) => withOwner(object, identity));
  const [cluster, ...more] = objects.filter(isCluster);
  if (cluster === undefined || more.length > 0) {
    throw new KnestError({
      code: 'KNEST_TEMPLATE',
      problem: `the template has ${more.length === 0 ? 'no' : 'more than one'} Cluster; it must have exactly one`,
    });
  }
  if (cluster.metadata.name !== identity.name) {
    throw new KnestError({
      code: 'KNEST_TEMPLATE',
      problem: `the Cluster of the template is called ${cluster.metadata.name}, not ${identity.name}`,
      next: 'name it ${CLUSTER_NAME}, so that each job has its own',
    });
  }
  const others = objects.filter((object) => !isCluster(object));
  return { cluster: withFinalizer(cluster), others, machines: machineCounts(objects) };
}

/** The objects of a rendered template. Throws KNEST_TEMPLATE. */
export function parseTemplate(text: string): readonly KubernetesObject[] {
  try {
    return parseManifest(text);
  } catch (thrown) {
    if (thrown instanceof ManifestError) throw notObjects(thrown);
    throw new KnestError({
      code: 'KNEST_TEMPLATE',
      problem: `the template is not valid YAML after its variables are replaced: ${firstLineOf(thrown)}`,
      next: 'check the values of its variables',
      cause: thrown,
    });
  }
}

/** Cluster API's own. Source: cluster-api v1.14 api/core/v1beta2/cluster_types.go, ClusterFinalizer. */
const CLUSTER_FINALIZER = 'cluster.cluster.x-k8s.io';

/**
 * The Cluster with Cluster API's finalizer from the start. Its controller adds it a moment later: a Cluster deleted
 * before that is gone at once, and its control plane and machines, whose finalizers need it, stay for ever.
 */
function withFinalizer(cluster: KubernetesObject): KubernetesObject {
  return { ...cluster, metadata: { ...cluster.metadata, finalizers: [CLUSTER_FINALIZER] } };
}

/** The values of all variables of a template: those of the action, and those of the user. */
export function allVariables(
  inputs: ChosenInputs,
  { name, namespace }: Pick<ClusterIdentity, 'name' | 'namespace'>,
  networks: ClusterNetworks,
): Variables {
  // The action makes the pool of a persistent cluster, under its name.
  const own = withAliases({ IP_POOL_NAME: name, ...variables(inputs, networks) });
  return { ...own, ...inputs.templateVariables, CLUSTER_NAME: name, NAMESPACE: namespace };
}

/** The values of the variables that inputs set, by the names that the action's own templates have for them. */
export function variables(inputs: ChosenInputs, networks: ClusterNetworks): Variables {
  return {
    KUBERNETES_VERSION: inputs.kubernetesVersion.text,
    POD_NETWORK_CIDR: networks.pods.text,
    SERVICE_CIDR: networks.services.text,
    CONTROL_PLANE_SERVICE_TYPE: serviceType(inputs),
    ...machineVariables('CONTROL_PLANE', inputs.controlPlane),
    ...machineVariables('WORKER', inputs.workers),
    ...inputs.images,
  };
}

/** The type of the Service before the API servers: one that more than the host reaches only where it is asked for. */
export function serviceType({ apiAccess, apiHost }: ChosenInputs): 'ClusterIP' | 'LoadBalancer' | 'NodePort' {
  if (apiAccess === 'load-balancer') return 'LoadBalancer';
  const isNodePort = apiAccess === 'node-port' || (apiAccess === 'auto' && apiHost !== undefined);
  return isNodePort ? 'NodePort' : 'ClusterIP';
}

function machineVariables(role: string, machine: MachineInputs): Readonly<Record<string, string>> {
  return {
    [`${role}_MACHINE_COUNT`]: String(machine.count),
    [`${role}_MACHINE_CPU_CORES`]: String(machine.cpuCores),
    [`${role}_MACHINE_MEMORY_SIZE`]: machine.memorySize,
  };
}
