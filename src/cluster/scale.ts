import { KnestError } from '../errors.ts';
import type { KubernetesClient } from '../host/client.ts';
import { Kinds } from '../host/kinds.ts';
import type { Cluster, Scalable } from '../host/objects.ts';
import { hasStatus } from '../host/rest.ts';
import type { Replicas } from '../values/replicas.ts';
import { belongingTo, isControlPlane, joinedMachines, type ClusterView } from './view.ts';

/** Annotations by which an autoscaler takes the number of replicas for its own. Source: Cluster API, "Autoscaling". */
const AUTOSCALER = 'cluster.x-k8s.io/cluster-api-autoscaler-node-group-';

/** What of a cluster has replicas, found by reference and label, whatever it is called. */
export interface ScaleTargets {
  readonly controlPlane: Scalable;
  /** Undefined when the cluster has no MachineDeployment. */
  readonly workers: Scalable | undefined;
}

/** Finds what is to be scaled. Throws KNEST_SCALE when that is not clear, or not ours to change. */
export async function findScaleTargets(
  client: KubernetesClient,
  cluster: Cluster,
  replicas: Replicas,
): Promise<ScaleTargets> {
  const { name, namespace = '' } = cluster.metadata;
  const reference = cluster.spec?.controlPlaneRef;
  const controlPlane =
    reference?.kind === Kinds.kubeadmControlPlane.kind
      ? await client.get(Kinds.kubeadmControlPlane, reference.name ?? '', namespace)
      : undefined;
  if (controlPlane === undefined) {
    throw refusal(
      name,
      `its control plane is ${reference?.kind ?? 'not set'}, not a KubeadmControlPlane that is there`,
    );
  }
  const [workers, ...others] = await client.list(Kinds.machineDeployment, belongingTo({ name, namespace }));
  if (replicas.workers === undefined) return { controlPlane, workers };
  if (others.length > 0) {
    const names = [workers, ...others].map((deployment) => deployment?.metadata.name).join(', ');
    throw refusal(name, `it has several MachineDeployments (${names})`, 'scale the one you mean with kubectl scale');
  }
  if (workers === undefined && replicas.workers > 0) throw refusal(name, 'it has no MachineDeployment');
  const autoscaled = Object.keys(workers?.metadata.annotations ?? {}).find((key) => key.startsWith(AUTOSCALER));
  if (autoscaled !== undefined) {
    throw refusal(name, `an autoscaler decides on its workers (${autoscaled})`, 'change the limits in that annotation');
  }
  return { controlPlane, workers };
}

function refusal(name: string, reason: string, next = 'scale it where it is managed'): KnestError {
  return new KnestError({ code: 'KNEST_SCALE', problem: `${name} cannot be scaled: ${reason}`, next });
}

/**
 * Asks for the replicas; a cluster of a ClusterClass is asked itself, since it would take back what its parts are told.
 * Throws what RestClient throws.
 */
export async function requestScale(
  client: KubernetesClient,
  cluster: Cluster,
  targets: ScaleTargets,
  replicas: Replicas,
): Promise<void> {
  const { controlPlane, workers } = targets;
  const { name, namespace = '', uid, resourceVersion } = cluster.metadata;
  const topology = cluster.spec?.topology;
  if (topology !== undefined) {
    const [pool, ...others] = topology.workers?.machineDeployments ?? [];
    const changed = {
      ...(replicas.controlPlane !== undefined && { controlPlane: { replicas: replicas.controlPlane } }),
      ...(replicas.workers !== undefined &&
        pool !== undefined && {
          workers: { machineDeployments: [{ ...pool, replicas: replicas.workers }, ...others] },
        }),
    };
    try {
      // A merge patch replaces the list as a whole: only the one that was read.
      const patch = { metadata: { resourceVersion }, spec: { topology: changed } };
      await client.patch(Kinds.cluster, name, namespace, patch);
      return;
    } catch (thrown) {
      if (!hasStatus(thrown, 409)) throw thrown;
      // Controllers write to a Cluster whenever one of its machines changes.
      const current = await client.get(Kinds.cluster, name, namespace);
      if (current === undefined || current.metadata.uid !== uid) throw thrown;
      return requestScale(client, current, targets, replicas);
    }
  }
  const patch = (count: number): object => ({ spec: { replicas: count } });
  if (replicas.controlPlane !== undefined) {
    await client.patch(Kinds.kubeadmControlPlane, controlPlane.metadata.name, namespace, patch(replicas.controlPlane));
  }
  if (replicas.workers !== undefined && workers !== undefined) {
    await client.patch(Kinds.machineDeployment, workers.metadata.name, namespace, patch(replicas.workers));
  }
}

/** The replicas a cluster is to have in the end: those asked for, else those it has. */
export function wantedReplicas(targets: ScaleTargets, replicas: Replicas): { controlPlane: number; workers: number } {
  return {
    controlPlane: replicas.controlPlane ?? targets.controlPlane.spec?.replicas ?? 1,
    workers: replicas.workers ?? targets.workers?.spec?.replicas ?? 0,
  };
}

/** Whether a cluster has exactly these machines, each of them a node, and none on its way out. */
export function isScaled(
  view: ClusterView,
  wanted: { readonly controlPlane: number; readonly workers: number },
): boolean {
  const joined = joinedMachines(view).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const controlPlanes = joined.filter(isControlPlane).length;
  return (
    view.machines.length === wanted.controlPlane + wanted.workers &&
    controlPlanes === wanted.controlPlane &&
    joined.length - controlPlanes === wanted.workers
  );
}
