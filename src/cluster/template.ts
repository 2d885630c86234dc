import { join } from 'node:path';
import { parseManifest } from '../host/manifest.ts';
import type { KubernetesObject } from '../host/objects.ts';
import { KnestError } from '../errors.ts';
import type { CreateInputs, Infrastructure, MachineInputs } from '../inputs.ts';
import type { Clusterctl } from '../install/clusterctl.ts';
import { Labels, owned, type ClusterIdentity } from './identity.ts';
import type { ClusterNetworks } from './networks.ts';

/** The objects of a nested cluster; the Cluster itself apart, since all others hang on it. */
export interface RenderedCluster {
  readonly cluster: KubernetesObject;
  readonly others: readonly KubernetesObject[];
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
): Promise<RenderedCluster> {
  const file = templateFile(inputs.infrastructure);
  const text = await clusterctl.renderTemplate(identity.name, identity.namespace, file, variables(inputs, networks));
  const objects = parseManifest(text).map((object) => withOwner(object, identity));
  const isCluster = ({ kind, apiVersion }: KubernetesObject): boolean =>
    kind === 'Cluster' && apiVersion.startsWith('cluster.x-k8s.io/');
  const [cluster, ...more] = objects.filter(isCluster);
  if (cluster === undefined || more.length > 0) {
    throw new KnestError({
      code: 'KNEST_TEMPLATE',
      problem: `the template has ${more.length === 0 ? 'no' : 'more than one'} Cluster; it must have exactly one`,
    });
  }
  return { cluster: withFinalizer(cluster), others: objects.filter((object) => !isCluster(object)) };
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

interface WithMachines extends KubernetesObject {
  readonly spec?: {
    readonly machineTemplate?: { readonly metadata?: Labelled };
    readonly template?: { readonly metadata?: Labelled };
  };
}

interface Labelled {
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * The object with its owner on it, and on the machines it will make: a KubeadmControlPlane and a MachineDeployment
 * hand their own labels on to nobody. Source: Cluster API, "Metadata propagation".
 */
export function withOwner(object: KubernetesObject, identity: ClusterIdentity): KubernetesObject {
  const { spec, ...rest } = object as WithMachines;
  const labels = { [Labels.clusterName]: identity.name, ...identity.owner };
  const withLabels = <M extends Labelled>(metadata: M): M => ({
    ...metadata,
    labels: { ...metadata.labels, ...labels },
  });
  const metadata = owned(withLabels({ ...object.metadata, namespace: identity.namespace }), identity);
  if (object.kind === 'KubeadmControlPlane') {
    const machineTemplate = { ...spec?.machineTemplate, metadata: withLabels(spec?.machineTemplate?.metadata ?? {}) };
    return { ...rest, metadata, spec: { ...spec, machineTemplate } } as KubernetesObject;
  }
  if (object.kind === 'MachineDeployment') {
    const template = { ...spec?.template, metadata: withLabels(spec?.template?.metadata ?? {}) };
    return { ...rest, metadata, spec: { ...spec, template } } as KubernetesObject;
  }
  return { ...object, metadata };
}
