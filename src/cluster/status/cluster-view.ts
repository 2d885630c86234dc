import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type {
  Cluster,
  ClusterResourceSet,
  DataVolume,
  Machine,
  Scalable,
  VirtualMachine,
} from '../../host/api/cluster-api-objects.ts';
import { conditionOf, type KubernetesEvent, type KubernetesObject, type Pod } from '../../host/api/objects.ts';
import { watchTarget, watchUntil, type Unavailable } from '../../host/api/watch.ts';
import { FOLLOWED_KINDS } from '../engines/cluster-kinds.ts';
import type { Engine } from '../engines/engine.ts';
import { engineOf, engineOfMachine } from '../engines/engines.ts';
import { belongingTo, type ClusterHandle } from '../identity/cluster-handle.ts';

/** Everything on the host that tells how a nested cluster is, from the Cluster down to the pods of its machines. */
export interface ClusterView {
  readonly cluster: Cluster | undefined;
  /** What the provider keeps of the cluster as a whole; undefined where it says nothing that the Cluster does not. */
  readonly infrastructureCluster: KubernetesObject | undefined;
  readonly controlPlanes: readonly Scalable[];
  readonly machineDeployments: readonly Scalable[];
  readonly machines: readonly Machine[];
  readonly virtualMachines: readonly VirtualMachine[];
  readonly pods: readonly Pod[];
  /** What Cluster API installs in it: its CNI, for one. */
  readonly resourceSets: readonly ClusterResourceSet[];
  /** Those of the whole namespace, since they have no labels; none when the cluster is not persistent. */
  readonly dataVolumes: readonly DataVolume[];
  /** Those about pods of the namespace that get no network: Kubernetes says so nowhere else. */
  readonly sandboxEvents: readonly KubernetesEvent[];
}

/** What a cluster consists of: what there is to watch. */
export interface ClusterParts {
  readonly engine: Engine;
  readonly persistent: boolean;
}

/** The kubelet's reason for a pod whose network cannot be made. Source: k8s.io/kubernetes pkg/kubelet/events/event.go. */
export const SANDBOX_REASON = 'FailedCreatePodSandBox';

/**
 * Watches a nested cluster until `evaluate` returns something. Rejects as watchUntil does.
 * Only a cluster whose machines are virtual machines has these and their pods, only a persistent one has DataVolumes,
 * and a host may not know the kinds.
 */
export async function watchCluster<T>(
  client: KubernetesClient,
  handle: ClusterHandle,
  { engine, persistent }: ClusterParts,
  evaluate: (view: ClusterView) => T | undefined,
  signal: AbortSignal,
  onUnavailable?: (unavailable: Unavailable) => void,
): Promise<T> {
  const { name, namespace } = handle;
  const selection = belongingTo(handle);
  const cluster = watchTarget(Kinds.cluster, { namespace, fieldSelector: `metadata.name=${name}` });
  const infrastructureKind = engine.refusedService && engine.kinds?.cluster;
  const infrastructureClusters = infrastructureKind && watchTarget(infrastructureKind, selection);
  const controlPlanes = watchTarget(FOLLOWED_KINDS.controlPlanes, selection);
  const machineDeployments = watchTarget(FOLLOWED_KINDS.machineDeployments, selection);
  const machines = watchTarget(FOLLOWED_KINDS.machines, selection);
  const virtualMachines = engine.virtualMachines && watchTarget(engine.virtualMachines.kind, selection);
  const pods = watchTarget(Kinds.pod, selection);
  const resourceSets = watchTarget(FOLLOWED_KINDS.resourceSets, selection);
  const dataVolumes = watchTarget(Kinds.dataVolume, { namespace });
  const sandboxEvents = watchTarget(Kinds.event, { namespace, fieldSelector: `reason=${SANDBOX_REASON}` });
  const view = (): ClusterView => ({
    cluster: cluster.objects.get(`${namespace}/${name}`),
    infrastructureCluster: infrastructureClusters?.objects.values().next().value,
    controlPlanes: byAge(controlPlanes.objects),
    machineDeployments: byAge(machineDeployments.objects),
    machines: byAge(machines.objects),
    virtualMachines: byAge(virtualMachines?.objects ?? new Map<string, VirtualMachine>()),
    pods: byAge(pods.objects),
    resourceSets: byAge(resourceSets.objects),
    dataVolumes: byAge(dataVolumes.objects),
    sandboxEvents: byAge(sandboxEvents.objects),
  });
  const common = [cluster, controlPlanes, machineDeployments, machines, resourceSets];
  const targets = [
    ...common,
    ...(infrastructureClusters === undefined ? [] : [infrastructureClusters]),
    ...(virtualMachines === undefined ? [] : [virtualMachines, pods, sandboxEvents]),
    ...(persistent ? [dataVolumes] : []),
  ];
  return watchUntil(client, targets, () => evaluate(view()), signal, onUnavailable);
}

function byAge<T extends KubernetesObject>(objects: ReadonlyMap<string, T>): readonly T[] {
  const age = ({ metadata }: T): string => `${metadata.creationTimestamp ?? ''} ${metadata.name}`;
  return [...objects.values()].sort((one, other) => age(one).localeCompare(age(other)));
}

/** The virtual machine of a Machine, where its engine has one. */
export function virtualMachineOf(machine: Machine, view: ClusterView): VirtualMachine | undefined {
  return engineOfMachine(machine).virtualMachines?.of(machine, view.virtualMachines);
}

/** The disks of a Machine while they are filled. */
export function dataVolumesOf(machine: Machine, view: ClusterView): readonly DataVolume[] {
  const name = machine.spec?.infrastructureRef?.name;
  const { persistence } = engineOfMachine(machine);
  if (name === undefined || persistence === undefined) return [];
  return view.dataVolumes.filter(({ metadata }) => metadata.name.startsWith(persistence.diskPrefix(name)));
}

/** The pod that the virtual machine of a Machine runs in. */
export function podOf(machine: Machine, view: ClusterView): Pod | undefined {
  const virtualMachine = virtualMachineOf(machine, view);
  return virtualMachine && engineOfMachine(machine).virtualMachines?.podOf(virtualMachine, view.pods);
}

/** The Machine whose virtual machine runs in a pod. */
export function machineOf(pod: Pod, view: ClusterView): Machine | undefined {
  return view.machines.find((machine) => podOf(machine, view) === pod);
}

/** The engine of a pod: that of its Machine, else that of the cluster. */
export function engineOfPod(pod: Pod, view: ClusterView): Engine {
  const machine = machineOf(pod, view);
  return machine === undefined ? engineOf(view.cluster) : engineOfMachine(machine);
}

/** Which MachineDeployment a Machine is of. Source: cluster-api api/core/v1beta2/machinedeployment_types.go. */
export const DEPLOYMENT_NAME = 'cluster.x-k8s.io/deployment-name';

/**
 * The control plane or MachineDeployment of a Machine, by its owner. A MachineDeployment owns a Machine by way of a
 * MachineSet, which is not followed: Cluster API labels such Machines with its name.
 */
export function parentOf({ metadata }: Machine, view: ClusterView): Scalable | undefined {
  const { ownerReferences = [], labels = {} } = metadata;
  const uids = new Set(ownerReferences.map(({ uid }) => uid));
  const isInSet = ownerReferences.some(({ kind }) => kind === Kinds.machineSet.kind);
  return (
    view.controlPlanes.find((parent) => uids.has(parent.metadata.uid ?? '')) ??
    view.machineDeployments.find((parent) => isInSet && labels[DEPLOYMENT_NAME] === parent.metadata.name)
  );
}

/**
 * Whether an object belongs to the control plane: Cluster API labels its Machines with `control-plane`, and the provider
 * for KubeVirt its pods with `role` alone. Seen on: cluster-api-provider-kubevirt v0.11.2.
 */
export function isControlPlane({ metadata: { labels = {} } }: KubernetesObject): boolean {
  return labels['cluster.x-k8s.io/control-plane'] !== undefined || labels['cluster.x-k8s.io/role'] === 'control-plane';
}

/** Whether the nested API server answers, or did once: Cluster API never takes the condition back. */
export function isInitialised(view: ClusterView): boolean {
  return conditionOf(view.cluster, 'ControlPlaneInitialized')?.status === 'True';
}

/** Whether a machine has become a node. Joined is not Ready: a node is Ready once it has a CNI. */
export function hasJoined({ status }: Machine): boolean {
  return status?.nodeRef !== undefined;
}

/** Whether a machine's node is Ready. Source: cluster-api api/core/v1beta2/machine_types.go, MachineNodeReadyCondition. */
export function hasReadyNode(machine: Machine): boolean {
  return conditionOf(machine, 'NodeReady')?.status === 'True';
}
