import { messageOf } from '../errors.ts';
import type { KubernetesClient } from '../host/client.ts';
import { Kinds, type Kind } from '../host/kinds.ts';
import type { Condition, KubernetesObject } from '../host/objects.ts';
import { Labels } from './identity.ts';
import type { ClusterHandle, ClusterView } from './view.ts';

/** Any object that may have conditions. */
export interface Conditioned extends KubernetesObject {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** A cluster at one moment, with what providers keep beside it. */
export interface Snapshot {
  readonly view: ClusterView;
  /** The objects of the bootstrap and the infrastructure provider: of the cluster, and of each machine. */
  readonly parts: readonly Conditioned[];
  /** What could not be read, and why. */
  readonly unread: readonly string[];
}

/** Kinds of one provider or another; a host knows some of them. */
const PARTS: readonly Kind[] = [
  Kinds.kubeadmConfig,
  Kinds.virtinkCluster,
  Kinds.virtinkMachine,
  Kinds.devCluster,
  Kinds.devMachine,
];

/** Reads a cluster by one LIST a kind, all at once. What cannot be read is noted and left out: never rejects. */
export async function takeSnapshot(client: KubernetesClient, handle: ClusterHandle): Promise<Snapshot> {
  const { name, namespace } = handle;
  const selection = { namespace, labelSelector: `${Labels.clusterName}=${name}` };
  const unread = new Map<string, string[]>();
  const orNote = async <T>(plural: string, read: Promise<T>, nothing: T): Promise<T> =>
    read.catch((thrown: unknown) => {
      const reason = messageOf(thrown).split('\n')[0] ?? '';
      unread.set(reason, [...(unread.get(reason) ?? []), plural]);
      return nothing;
    });
  const list = <T extends KubernetesObject>(kind: Kind<T>): Promise<readonly T[]> =>
    orNote(kind.plural, client.list(kind, selection), []);
  const [
    cluster,
    controlPlanes,
    machineDeployments,
    machines,
    virtualMachines,
    pods,
    resourceSets,
    dataVolumes,
    ...parts
  ] = await Promise.all([
    orNote(Kinds.cluster.plural, client.get(Kinds.cluster, name, namespace), undefined),
    list(Kinds.kubeadmControlPlane),
    list(Kinds.machineDeployment),
    list(Kinds.machine),
    list(Kinds.virtualMachine),
    list(Kinds.pod),
    list(Kinds.clusterResourceSet),
    orNote(Kinds.dataVolume.plural, client.list(Kinds.dataVolume, { namespace }), []),
    ...PARTS.map(list),
  ]);
  const view = {
    cluster,
    controlPlanes,
    machineDeployments,
    machines,
    virtualMachines,
    pods,
    resourceSets,
    dataVolumes,
  };
  const reasons = [...unread].map(([reason, plurals]) => `${plurals.join(', ')} were not read: ${reason}`);
  return { view, parts: parts.flat(), unread: reasons };
}
