import { Kinds, type Kind } from '../../host/api/kinds.ts';
import type { VirtualMachine } from '../../host/api/cluster-api-objects.ts';
import type { Engine } from './engine.ts';
import { ENGINES } from './engines.ts';

/** What the action does with the objects of a kind, beside what it does with each by its name. */
interface ClusterKind {
  readonly kind: Kind;
  /** Whether the host of every cluster serves it: a delete needs the permission to see that none is left. */
  readonly isCommon?: true;
  /** Whether a deletion waits until none is left: the Cluster goes first, these have to follow. */
  readonly isAwaited?: true;
  /** Whether the log of a deletion counts them; others appear only when they stay. */
  readonly isCounted?: true;
  /** Whether they keep running, or keep data, when their Cluster is gone. Kubernetes deletes the rest together with it. */
  readonly isLasting?: true;
  /** Whether diagnostics show them beside what refers to them. */
  readonly isPart?: true;
}

/** The kinds of an engine. */
function kindsOf({ kinds, virtualMachines }: Engine): readonly ClusterKind[] {
  return [
    ...(kinds === undefined
      ? []
      : [
          { kind: kinds.cluster, isAwaited: true, isPart: true } as const,
          { kind: kinds.machine, isAwaited: true, isPart: true, isLasting: true } as const,
          { kind: kinds.machineTemplate, isAwaited: true } as const,
        ]),
    ...(virtualMachines === undefined
      ? []
      : [
          { kind: virtualMachines.kind, isAwaited: true, isCounted: true, isLasting: true } as const,
          ...virtualMachines.madeFrom.map((kind) => ({ kind, isAwaited: true, isLasting: true }) as const),
        ]),
  ];
}

/** The kinds of all that belongs to a cluster by its label; a host knows those of some engines. */
const CLUSTER_KINDS: readonly ClusterKind[] = [
  { kind: Kinds.machine, isCommon: true, isAwaited: true, isCounted: true, isLasting: true },
  { kind: Kinds.kubeadmControlPlane, isCommon: true, isAwaited: true },
  { kind: Kinds.machineDeployment, isCommon: true, isAwaited: true },
  { kind: Kinds.machineHealthCheck, isCommon: true, isAwaited: true },
  { kind: Kinds.kubeadmConfigTemplate, isCommon: true, isAwaited: true },
  { kind: Kinds.kubeadmConfig, isCommon: true, isPart: true },
  { kind: Kinds.clusterResourceSet, isCommon: true, isAwaited: true },
  ...ENGINES.flatMap(kindsOf),
  { kind: Kinds.pod, isCommon: true, isAwaited: true, isCounted: true },
  { kind: Kinds.service, isCommon: true, isAwaited: true },
  { kind: Kinds.dataVolume, isAwaited: true, isLasting: true },
  { kind: Kinds.persistentVolumeClaim, isAwaited: true, isCounted: true, isLasting: true },
  { kind: Kinds.ipPool, isAwaited: true, isCounted: true },
];

function kindsWith(isMeant: (one: ClusterKind) => boolean): readonly Kind[] {
  return CLUSTER_KINDS.filter(isMeant).map(({ kind }) => kind);
}

/** Where a cluster leaves something: a deletion waits until none is left. */
export const AWAITED_KINDS = kindsWith(({ isAwaited = false }) => isAwaited);

/** Those whose number the log of a deletion shows. */
export const COUNTED_KINDS = kindsWith(({ isCounted = false }) => isCounted);

/** What keeps running or keeps data when its cluster is gone. */
export const LASTING_KINDS = kindsWith(({ isLasting = false }) => isLasting);

/** What providers keep beside a cluster and its machines, for diagnostics. */
export const PART_KINDS = kindsWith(({ isPart = false }) => isPart);

/** What is followed of every cluster, whatever its engine, by the names of a view for it. */
export const FOLLOWED_KINDS = {
  controlPlanes: Kinds.kubeadmControlPlane,
  machineDeployments: Kinds.machineDeployment,
  machines: Kinds.machine,
  resourceSets: Kinds.clusterResourceSet,
} as const;

const FOLLOWED: readonly Kind[] = Object.values<Kind>(FOLLOWED_KINDS);

/** What a deletion waits for, beside what is followed, on every host. */
export const AWAITED_EVERYWHERE = kindsWith(
  ({ kind, isCommon = false, isAwaited = false }) => isAwaited && isCommon && !FOLLOWED.includes(kind),
);

/** What a deletion waits for on hosts that serve it. */
export const AWAITED_WHERE_SERVED = kindsWith(({ isCommon = false, isAwaited = false }) => isAwaited && !isCommon);

/** The virtual machines of engines that have some. */
export const VIRTUAL_MACHINE_KINDS: readonly Kind<VirtualMachine>[] = ENGINES.flatMap(({ virtualMachines }) =>
  virtualMachines === undefined ? [] : [virtualMachines.kind],
);

/** A disk is a PersistentVolumeClaim, and as long as CDI keeps it a DataVolume of the same name. */
export const DISK_KINDS: readonly Kind[] = [Kinds.dataVolume, Kinds.persistentVolumeClaim];

/** The kinds between an infrastructure machine and its Cluster. Source: Cluster API, "Owner references". */
export const OWNER_KINDS: readonly Kind[] = [
  Kinds.machine,
  Kinds.machineSet,
  Kinds.machineDeployment,
  Kinds.kubeadmControlPlane,
];
