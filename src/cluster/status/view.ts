import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import {
  conditionOf,
  type Cluster,
  type ClusterResourceSet,
  type DataVolume,
  type KubernetesEvent,
  type KubernetesObject,
  type Machine,
  type Pod,
  type Scalable,
  type VirtualMachine,
} from '../../host/api/objects.ts';
import { watchTarget, watchUntil, type Unavailable } from '../../host/api/watch.ts';
import type { Infrastructure } from '../../catalog/infrastructures.ts';
import { belongingTo, type ClusterHandle } from '../identity/handle.ts';

/** Everything on the host that tells how a nested cluster is, from the Cluster down to the pods of its machines. */
export interface ClusterView {
  readonly cluster: Cluster | undefined;
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
  readonly infrastructure: Infrastructure;
  readonly persistent: boolean;
}

/** The kubelet's reason for a pod whose network cannot be made. Source: k8s.io/kubernetes pkg/kubelet/events/event.go. */
export const SANDBOX_REASON = 'FailedCreatePodSandBox';

/**
 * Watches a nested cluster until `evaluate` returns something. Rejects as watchUntil does.
 * A cluster of in-memory machines has neither VMs nor pods, only a persistent one has DataVolumes, and its host may not
 * know the kinds.
 */
export async function watchCluster<T>(
  client: KubernetesClient,
  handle: ClusterHandle,
  { infrastructure, persistent }: ClusterParts,
  evaluate: (view: ClusterView) => T | undefined,
  signal: AbortSignal,
  onUnavailable?: (unavailable: Unavailable) => void,
): Promise<T> {
  const { name, namespace } = handle;
  const selection = belongingTo(handle);
  const cluster = watchTarget(Kinds.cluster, { namespace, fieldSelector: `metadata.name=${name}` });
  const controlPlanes = watchTarget(Kinds.kubeadmControlPlane, selection);
  const machineDeployments = watchTarget(Kinds.machineDeployment, selection);
  const machines = watchTarget(Kinds.machine, selection);
  const virtualMachines = watchTarget(Kinds.virtualMachine, selection);
  const pods = watchTarget(Kinds.pod, selection);
  const resourceSets = watchTarget(Kinds.clusterResourceSet, selection);
  const dataVolumes = watchTarget(Kinds.dataVolume, { namespace });
  const sandboxEvents = watchTarget(Kinds.event, { namespace, fieldSelector: `reason=${SANDBOX_REASON}` });
  const view = (): ClusterView => ({
    cluster: cluster.objects.get(`${namespace}/${name}`),
    controlPlanes: byAge(controlPlanes.objects),
    machineDeployments: byAge(machineDeployments.objects),
    machines: byAge(machines.objects),
    virtualMachines: byAge(virtualMachines.objects),
    pods: byAge(pods.objects),
    resourceSets: byAge(resourceSets.objects),
    dataVolumes: byAge(dataVolumes.objects),
    sandboxEvents: byAge(sandboxEvents.objects),
  });
  const common = [cluster, controlPlanes, machineDeployments, machines, resourceSets];
  const targets = [
    ...common,
    ...(infrastructure === 'virtink' ? [virtualMachines, pods, sandboxEvents] : []),
    ...(persistent ? [dataVolumes] : []),
  ];
  return watchUntil(client, targets, () => evaluate(view()), signal, onUnavailable);
}

function byAge<T extends KubernetesObject>(objects: ReadonlyMap<string, T>): readonly T[] {
  const age = ({ metadata }: T): string => `${metadata.creationTimestamp ?? ''} ${metadata.name}`;
  return [...objects.values()].sort((one, other) => age(one).localeCompare(age(other)));
}

/** The VirtualMachine of a Machine: the provider gives both the VirtinkMachine's name. */
export function virtualMachineOf(machine: Machine, view: ClusterView): VirtualMachine | undefined {
  const name = machine.spec?.infrastructureRef?.name;
  return view.virtualMachines.find(({ metadata }) => metadata.name === name);
}

/** The disks of a Machine while they are filled: the provider names them after the VirtinkMachine. */
export function dataVolumesOf(machine: Machine, view: ClusterView): readonly DataVolume[] {
  const name = machine.spec?.infrastructureRef?.name;
  return name === undefined ? [] : view.dataVolumes.filter(({ metadata }) => metadata.name.startsWith(`${name}-`));
}

/** The pod that a VirtualMachine runs in. */
export function podOf(virtualMachine: VirtualMachine, view: ClusterView): Pod | undefined {
  return view.pods.find(({ metadata }) => metadata.name === virtualMachine.status?.vmPodName);
}

/** The Machine whose VirtualMachine runs in a pod. */
export function machineOf(pod: Pod, view: ClusterView): Machine | undefined {
  return view.machines.find((machine) => {
    const virtualMachine = virtualMachineOf(machine, view);
    return virtualMachine !== undefined && podOf(virtualMachine, view) === pod;
  });
}

/** Whether an object belongs to the control plane. */
export function isControlPlane({ metadata }: KubernetesObject): boolean {
  return metadata.labels?.['cluster.x-k8s.io/control-plane'] !== undefined;
}

/**
 * The infrastructure of a cluster, if the action has a template for it; others are followed by their machines alone.
 * `unsaid`: that of a Cluster whose ClusterClass has not given it one yet.
 */
export function infrastructureOf({ spec }: Cluster, unsaid: Infrastructure = 'in-memory'): Infrastructure {
  const kind = spec?.infrastructureRef?.kind;
  if (kind === undefined) return unsaid;
  return kind === Kinds.virtinkCluster.kind ? 'virtink' : 'in-memory';
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
