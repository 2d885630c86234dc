import { Labels, type ClusterIdentity } from '../../../src/cluster/identity/identity.ts';
import type { ClusterView } from '../../../src/cluster/status/cluster-view.ts';
import type { Cluster, Machine, Scalable, VirtualMachine } from '../../../src/host/api/cluster-api-objects.ts';
import type { Condition, Pod } from '../../../src/host/api/objects.ts';
import { parseCidr, type Cidr } from '../../../src/values/cidr.ts';

/** A range that is known to be good. */
export function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed;
}

/** Everything on the host about a cluster: nothing but what is given. */
export function viewOf(parts: Partial<ClusterView> = {}): ClusterView {
  return {
    cluster: undefined,
    infrastructureCluster: undefined,
    controlPlanes: [],
    machineDeployments: [],
    machines: [],
    virtualMachines: [],
    pods: [],
    resourceSets: [],
    dataVolumes: [],
    sandboxEvents: [],
    ...parts,
  };
}

/** The Cluster `pr`. */
export function clusterOf(parts: Pick<Cluster, 'spec' | 'status'> = {}): Cluster {
  return {
    apiVersion: 'cluster.x-k8s.io/v1beta2',
    kind: 'Cluster',
    metadata: { name: 'pr', namespace: 'knest' },
    ...parts,
  };
}

/** A KubeadmControlPlane or a MachineDeployment. */
export function scalable(kind: string, name: string, parts: Pick<Scalable, 'spec' | 'status'> = {}): Scalable {
  return { apiVersion: 'v1beta2', kind, metadata: { name, namespace: 'knest', uid: `${kind}-${name}` }, ...parts };
}

/** What a Machine says about the control plane or MachineDeployment that made it. */
export function ownedBy({ kind, metadata: { name, uid = '' } }: Scalable): Partial<Machine['metadata']> {
  if (kind !== 'MachineDeployment') return { ownerReferences: [{ kind, name, uid }] };
  return {
    labels: { 'cluster.x-k8s.io/deployment-name': name },
    ownerReferences: [{ kind: 'MachineSet', name: `${name}-9xq`, uid: `set-of-${uid}` }],
  };
}

/** What the labels of Cluster API say of a machine of the control plane, and of its pod. */
export const controlPlaneLabels = { 'cluster.x-k8s.io/control-plane': '' };

/** The labels of the provider for KubeVirt on the pod of a machine. */
export const roleLabels = (role: 'control-plane' | 'worker'): Readonly<Record<string, string>> => ({
  'cluster.x-k8s.io/cluster-name': 'pr',
  'cluster.x-k8s.io/role': role,
});

/** A Machine whose VirtualMachine is called like it. */
export function machineOf(
  name: string,
  parts: Pick<Machine, 'spec' | 'status'> & { readonly metadata?: Partial<Machine['metadata']> } = {},
): Machine {
  const { metadata, spec, status } = parts;
  return {
    apiVersion: 'cluster.x-k8s.io/v1beta2',
    kind: 'Machine',
    metadata: { name, namespace: 'knest', ...metadata },
    spec: { infrastructureRef: { kind: 'VirtinkMachine', name }, ...spec },
    ...(status !== undefined && { status }),
  };
}

/** A VirtualMachine that runs in the pod `vm-<name>`. */
export function virtualMachineOf(name: string, status: VirtualMachine['status'] = {}): VirtualMachine {
  return {
    apiVersion: 'virt.virtink.smartx.com/v1alpha1',
    kind: 'VirtualMachine',
    metadata: { name, namespace: 'knest' },
    status: { vmPodName: `vm-${name}`, ...status },
  };
}

/** The pod of the VirtualMachine of that name. */
export function podOf(name: string, status: Pod['status'] = {}, labels: Readonly<Record<string, string>> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `vm-${name}`, namespace: 'knest', labels },
    spec: { containers: [{ name: 'cloud-hypervisor' }] },
    status,
  };
}

/** The status of a pod one of whose init containers waits. */
export function waitingInit(name: string, image: string, reason: string, message = ''): NonNullable<Pod['status']> {
  return { initContainerStatuses: [{ name, image, state: { waiting: { reason, message } } }] };
}

/** The status of a pod that fits on no node. */
export const unschedulable: NonNullable<Pod['status']> = {
  conditions: [
    {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: '0/1 nodes are available: 1 Insufficient memory.',
      lastTransitionTime: '2026-11-22T19:00:00Z',
    },
  ],
};

/** A condition, in the order in which people say it. */
export function condition(type: string, status: Condition['status'], rest: Partial<Condition> = {}): Condition {
  return { type, status, ...rest };
}

const repository = { [Labels.managed]: 'true', [Labels.server]: 'github.com', [Labels.repositoryId]: '4711' };

/** A cluster, its owner and what else is written on its objects. */
export const identity: ClusterIdentity = {
  name: 'pr',
  namespace: 'knest',
  isNameGenerated: false,
  ephemeral: true,
  claim: 'c1a1',
  repository,
  owner: { ...repository, [Labels.runId]: '7' },
  annotations: {
    'knest-action/repository': 'octocat/hello',
    'knest-action/job': 'e2e',
    'knest-action/claim': 'c1a1',
  },
  expiresAt: undefined,
  unsettled: {},
};
