import { join } from 'node:path';
import { parseManifest } from '../host/manifest.ts';
import type { KubernetesObject } from '../host/objects.ts';
import { firstLineOf, KnestError } from '../errors.ts';
import type { CreateInputs, Infrastructure, MachineInputs } from '../inputs.ts';
import type { Clusterctl } from '../install/clusterctl.ts';
import { withAliases } from './aliases.ts';
import type { CustomTemplate } from './custom-template.ts';
import { fingerprint } from './fingerprint.ts';
import type { ClusterIdentity } from './identity.ts';
import { machineCounts, type MachineCounts } from './machine-counts.ts';
import { withListedRanges, type ClusterNetworks } from './networks.ts';
import { persist } from './persistence.ts';
import { isCluster, withOwner } from './stamp.ts';

/** The objects of a nested cluster; the Cluster itself apart, since all others hang on it. */
export interface RenderedCluster {
  readonly cluster: KubernetesObject;
  readonly others: readonly KubernetesObject[];
  readonly machines: MachineCounts;
}

/** All that is to be created for a cluster. */
export interface ClusterPlan extends RenderedCluster {
  /** What tells these objects from any others. */
  readonly fingerprint: string;
}

/** The plan for a cluster that has more objects than those of its template. */
export function planOf(rendered: RenderedCluster, addons: readonly KubernetesObject[]): ClusterPlan {
  const others = [...rendered.others, ...addons];
  return { ...rendered, others, fingerprint: fingerprint([rendered.cluster, ...others]) };
}

/** Where an infrastructure's template is: beside this file, and beside the bundle. */
function templateFile(infrastructure: Infrastructure): string {
  return join(import.meta.dirname, 'templates', `${infrastructure}.yaml`);
}

/** Renders the cluster's objects, each with its owner and expiry on it. Throws KNEST_TEMPLATE. */
export async function render(
  clusterctl: Clusterctl,
  inputs: CreateInputs,
  identity: ClusterIdentity,
  networks: ClusterNetworks,
  custom: CustomTemplate | undefined,
): Promise<RenderedCluster> {
  const { infrastructure } = inputs;
  // An infrastructure without a template of our own is none without one of the user's.
  const file = custom?.file ?? templateFile(typeof infrastructure === 'object' ? 'virtink' : infrastructure);
  const own = variables(inputs, networks);
  // The action makes the pool of a persistent cluster, under its name.
  const given = custom === undefined ? own : withAliases({ ...own, IP_POOL_NAME: identity.name });
  const text = await clusterctl.renderTemplate(identity.name, identity.namespace, file, given);
  const template = parseTemplate(text).map(withListedRanges);
  const wanted = inputs.persistent ? persist(template, identity.name, inputs) : template;
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

function parseTemplate(text: string): readonly KubernetesObject[] {
  try {
    return parseManifest(text);
  } catch (thrown) {
    throw new KnestError({
      code: 'KNEST_TEMPLATE',
      problem: `the template is no YAML once its variables are filled in: ${firstLineOf(thrown)}`,
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

/** The values of the templates' variables. */
export function variables(inputs: CreateInputs, networks: ClusterNetworks): Readonly<Record<string, string>> {
  return {
    KUBERNETES_VERSION: inputs.kubernetesVersion.text,
    POD_NETWORK_CIDR: networks.pods.text,
    SERVICE_CIDR: networks.services.text,
    CONTROL_PLANE_SERVICE_TYPE: inputs.apiAccess === 'load-balancer' ? 'LoadBalancer' : 'NodePort',
    ...machineVariables('CONTROL_PLANE', inputs.controlPlane),
    ...machineVariables('WORKER', inputs.workers),
  };
}

function machineVariables(role: string, machine: MachineInputs): Readonly<Record<string, string>> {
  return {
    [`${role}_MACHINE_COUNT`]: String(machine.count),
    [`${role}_MACHINE_CPU_CORES`]: String(machine.cpuCores),
    [`${role}_MACHINE_MEMORY_SIZE`]: machine.memorySize,
    [`${role}_MACHINE_KERNEL_IMAGE`]: machine.kernelImage,
    [`${role}_MACHINE_ROOTFS_IMAGE`]: machine.rootfsImage,
    [`${role}_MACHINE_ROOTFS_SIZE`]: machine.rootfsSize,
  };
}
