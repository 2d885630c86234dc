import type { KubernetesObject, Metadata } from '../../host/api/objects.ts';
import { Annotations, Labels, owned, type ClusterIdentity } from './identity.ts';

interface Labelled {
  readonly labels?: Readonly<Record<string, string>>;
}

interface WithMetadata {
  readonly metadata?: Labelled;
}

interface Topology {
  readonly controlPlane?: WithMetadata;
  readonly workers?: {
    readonly machineDeployments?: readonly WithMetadata[];
    readonly machinePools?: readonly WithMetadata[];
  };
}

/** A machine template in which the VM has a separate template: its provider passes no other labels on to VMs. */
interface VirtualMachineSource {
  readonly spec?: {
    readonly virtualMachineTemplate?: WithMetadata & { readonly spec?: { readonly template?: WithMetadata } };
  };
}

/** Where objects say what the objects that they make are labelled with, in v1beta1 and v1beta2 alike. */
interface Maker extends KubernetesObject {
  readonly spec?: {
    readonly machineTemplate?: WithMetadata;
    readonly template?: WithMetadata & VirtualMachineSource;
    readonly topology?: Topology;
    readonly controlPlaneServiceTemplate?: WithMetadata;
  };
}

/** Whether an object is Cluster API's Cluster, in whatever version of the API. */
export function isCluster({ kind, apiVersion }: KubernetesObject): boolean {
  return kind === 'Cluster' && apiVersion.startsWith('cluster.x-k8s.io/');
}

/**
 * The object with the labels of its cluster and repository, also on what it will make: a KubeadmControlPlane and a
 * MachineDeployment do not pass their own labels on, nor does a topology, and a Service that a provider makes is only
 * found by its label. The Cluster alone has the rest of the owner, the expiry and the claim: adopting it changes these,
 * and must not leave older ones anywhere else. Source: Cluster API, "Metadata propagation".
 */
export function withOwner(object: KubernetesObject, identity: ClusterIdentity): KubernetesObject {
  const labels = { [Labels.clusterName]: identity.name, ...identity.repository };
  const withLabels = <M extends Labelled>(metadata: M): M => ({
    ...metadata,
    labels: { ...metadata.labels, ...labels },
  });
  const labelled = <P extends WithMetadata>(part: P): P => ({ ...part, metadata: withLabels(part.metadata ?? {}) });
  const { spec }: Maker = object;
  const parts = labelledParts(object.kind, spec ?? {}, labelled);
  const metadata = withLabels({ ...object.metadata, namespace: identity.namespace });
  return {
    ...object,
    metadata: isCluster(object) ? owned(metadata, identity) : withRepository(metadata, identity),
    ...(Object.keys(parts).length > 0 && { spec: { ...spec, ...parts } }),
  };
}

/**
 * The metadata with the name of the repository, for people. Cluster API v1.14.2 also needs it: its in-memory provider
 * panics on a DevCluster without annotations.
 */
function withRepository(metadata: Metadata, { annotations }: ClusterIdentity): Metadata {
  const repository = annotations[Annotations.repository] ?? '';
  return { ...metadata, annotations: { ...metadata.annotations, [Annotations.repository]: repository } };
}

/** The parts of an object's spec that say how what it makes is labelled, labelled. */
function labelledParts(
  kind: string,
  spec: NonNullable<Maker['spec']>,
  labelled: <P extends WithMetadata>(part: P) => P,
): NonNullable<Maker['spec']> {
  if (kind === 'KubeadmControlPlane') return { machineTemplate: labelled(spec.machineTemplate ?? {}) };
  if (kind === 'MachineDeployment' || kind === 'MachinePool') return { template: labelled(spec.template ?? {}) };
  const { template, topology, controlPlaneServiceTemplate } = spec;
  return {
    ...(template?.spec?.virtualMachineTemplate?.spec?.template !== undefined && {
      template: withLabelledVms(template, labelled),
    }),
    ...(controlPlaneServiceTemplate !== undefined && {
      controlPlaneServiceTemplate: labelled(controlPlaneServiceTemplate),
    }),
    ...(kind === 'Cluster' && topology !== undefined && { topology: labelledTopology(topology, labelled) }),
  };
}

/** The template with labels on the VMs that are made from it, and on what runs them. */
function withLabelledVms<T extends VirtualMachineSource>(
  template: T,
  labelled: <P extends WithMetadata>(part: P) => P,
): T {
  const vm = template.spec?.virtualMachineTemplate ?? {};
  const spec = { ...vm.spec, template: labelled(vm.spec?.template ?? {}) };
  return { ...template, spec: { ...template.spec, virtualMachineTemplate: { ...labelled(vm), spec } } };
}

function labelledTopology(topology: Topology, labelled: <P extends WithMetadata>(part: P) => P): Topology {
  const { controlPlane, workers } = topology;
  return {
    ...topology,
    controlPlane: labelled(controlPlane ?? {}),
    ...(workers !== undefined && {
      workers: {
        ...workers,
        ...(workers.machineDeployments !== undefined && {
          machineDeployments: workers.machineDeployments.map(labelled),
        }),
        ...(workers.machinePools !== undefined && { machinePools: workers.machinePools.map(labelled) }),
      },
    }),
  };
}
