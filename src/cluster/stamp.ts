import type { KubernetesObject } from '../host/objects.ts';
import { Labels, owned, type ClusterIdentity } from './identity.ts';

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

/** Where objects say what the objects that they make are labelled with, in v1beta1 and v1beta2 alike. */
interface Maker extends KubernetesObject {
  readonly spec?: {
    readonly machineTemplate?: WithMetadata;
    readonly template?: WithMetadata;
    readonly topology?: Topology;
    readonly controlPlaneServiceTemplate?: WithMetadata;
  };
}

/**
 * The object with its owner on it, and on what it will make: a KubeadmControlPlane and a MachineDeployment hand their
 * own labels on to nobody, nor does a topology, and a Service made by a provider is found by its label alone.
 * Source: Cluster API, "Metadata propagation".
 */
export function withOwner(object: KubernetesObject, identity: ClusterIdentity): KubernetesObject {
  const labels = { [Labels.clusterName]: identity.name, ...identity.owner };
  const withLabels = <M extends Labelled>(metadata: M): M => ({
    ...metadata,
    labels: { ...metadata.labels, ...labels },
  });
  const labelled = <P extends WithMetadata>(part: P): P => ({ ...part, metadata: withLabels(part.metadata ?? {}) });
  const { spec }: Maker = object;
  const parts = labelledParts(object.kind, spec ?? {}, labelled);
  return {
    ...object,
    metadata: owned(withLabels({ ...object.metadata, namespace: identity.namespace }), identity),
    ...(Object.keys(parts).length > 0 && { spec: { ...spec, ...parts } }),
  };
}

/** The parts of an object's spec that say how what it makes is labelled, labelled. */
function labelledParts(
  kind: string,
  spec: NonNullable<Maker['spec']>,
  labelled: <P extends WithMetadata>(part: P) => P,
): NonNullable<Maker['spec']> {
  if (kind === 'KubeadmControlPlane') return { machineTemplate: labelled(spec.machineTemplate ?? {}) };
  if (kind === 'MachineDeployment' || kind === 'MachinePool') return { template: labelled(spec.template ?? {}) };
  const { topology, controlPlaneServiceTemplate } = spec;
  return {
    ...(controlPlaneServiceTemplate !== undefined && {
      controlPlaneServiceTemplate: labelled(controlPlaneServiceTemplate),
    }),
    ...(kind === 'Cluster' && topology !== undefined && { topology: labelledTopology(topology, labelled) }),
  };
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
