import { firstLineOf } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds, type Kind } from '../../host/api/kinds.ts';
import type { VirtualMachine } from '../../host/api/cluster-api-objects.ts';
import type { Condition, KubernetesObject } from '../../host/api/objects.ts';
import { FOLLOWED_KINDS, PART_KINDS, VIRTUAL_MACHINE_KINDS } from '../engines/cluster-kinds.ts';
import { belongingTo, type ClusterHandle } from '../identity/cluster-handle.ts';
import { type ClusterView } from '../status/cluster-view.ts';

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

/** Reads a cluster by one LIST a kind, all at once. What cannot be read is noted and left out: never rejects. */
export async function takeSnapshot(client: KubernetesClient, handle: ClusterHandle): Promise<Snapshot> {
  const { name, namespace } = handle;
  const unread = new Map<string, string[]>();
  const orNote = async <T>(plural: string, read: Promise<T>, nothing: T): Promise<T> =>
    read.catch((thrown: unknown) => {
      const reason = firstLineOf(thrown);
      unread.set(reason, [...(unread.get(reason) ?? []), plural]);
      return nothing;
    });
  const list = <T extends KubernetesObject>(kind: Kind<T>): Promise<readonly T[]> =>
    orNote(kind.plural, client.list(kind, belongingTo(handle)), []);
  const [view, parts] = await Promise.all([
    valuesOf<ClusterView>({
      cluster: orNote(Kinds.cluster.plural, client.get(Kinds.cluster, name, namespace), undefined),
      infrastructureCluster: Promise.resolve(undefined),
      controlPlanes: list(FOLLOWED_KINDS.controlPlanes),
      machineDeployments: list(FOLLOWED_KINDS.machineDeployments),
      machines: list(FOLLOWED_KINDS.machines),
      virtualMachines: Promise.all(VIRTUAL_MACHINE_KINDS.map(list<VirtualMachine>)).then((lists) => lists.flat()),
      pods: list(Kinds.pod),
      resourceSets: list(FOLLOWED_KINDS.resourceSets),
      sandboxEvents: Promise.resolve([]),
      dataVolumes: orNote(Kinds.dataVolume.plural, client.list(Kinds.dataVolume, { namespace }), []),
    }),
    Promise.all(PART_KINDS.map(list)),
  ]);
  const reasons = [...unread].map(([reason, plurals]) => `cannot read ${plurals.join(', ')}: ${reason}`);
  return { view, parts: parts.flat(), unread: reasons };
}

/** The object whose fields are what the promises resolve to, all at once. */
async function valuesOf<T extends object>(promises: {
  readonly [Field in keyof T]: Promise<T[Field]>;
}): Promise<T> {
  const entries = Object.entries<Promise<unknown>>(promises).map(
    async ([field, value]) => [field, await value] as const,
  );
  return Object.fromEntries(await Promise.all(entries)) as T;
}
