import type {
  Cluster,
  ClusterResourceSet,
  DataVolume,
  IPPool,
  KubeadmConfigTemplate,
  Machine,
  Provider,
  Scalable,
  VirtinkMachine,
  VirtualMachine,
} from './cluster-api-objects.ts';
import type {
  ConfigMap,
  CustomResourceDefinition,
  DaemonSet,
  Deployment,
  CalicoIpPool,
  FelixConfiguration,
  KubeOvnSubnet,
  KubernetesEvent,
  KubernetesObject,
  Lease,
  LimitRange,
  Node,
  PersistentVolume,
  Pod,
  ResourceQuota,
  Secret,
  Service,
  ServiceCidr,
  StorageClass,
} from './objects.ts';

/** Where a kind lives in the API, with the type of its objects. */
export interface Kind<T extends KubernetesObject = KubernetesObject> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never set: it only ties the type of the objects to the kind. */
  readonly object?: T;
}

function kind<T extends KubernetesObject>(
  apiVersion: string,
  kind: string,
  plural: string,
  namespaced = true,
): Kind<T> {
  return { apiVersion, kind, plural, namespaced };
}

/** The API group of a kind, as RBAC names it: blank for the core group. */
export function groupOf({ apiVersion }: { readonly apiVersion: string }): string {
  return apiVersion.includes('/') ? apiVersion.replace(/\/.*/, '') : '';
}

/** Whether an object is of a kind, in whatever version. */
export function isOfKind(object: Pick<KubernetesObject, 'apiVersion' | 'kind'>, kind: Kind): boolean {
  return object.kind === kind.kind && groupOf(object) === groupOf(kind);
}

/** The API group that a CustomResourceDefinition is for: its name is the kind's plural, a dot, and the group. */
export function groupOfDefinition(name: string): string {
  return name.slice(name.indexOf('.') + 1);
}

const CLUSTER_API = 'cluster.x-k8s.io/v1beta2';
const ADDONS = 'addons.cluster.x-k8s.io/v1beta2';

/** The kinds that the action reads or writes by name. */
export const Kinds = {
  cluster: kind<Cluster>(CLUSTER_API, 'Cluster', 'clusters'),
  machine: kind<Machine>(CLUSTER_API, 'Machine', 'machines'),
  machineSet: kind(CLUSTER_API, 'MachineSet', 'machinesets'),
  machineDeployment: kind<Scalable>(CLUSTER_API, 'MachineDeployment', 'machinedeployments'),
  machineHealthCheck: kind(CLUSTER_API, 'MachineHealthCheck', 'machinehealthchecks'),
  kubeadmControlPlane: kind<Scalable>(
    'controlplane.cluster.x-k8s.io/v1beta2',
    'KubeadmControlPlane',
    'kubeadmcontrolplanes',
  ),
  kubeadmConfig: kind('bootstrap.cluster.x-k8s.io/v1beta2', 'KubeadmConfig', 'kubeadmconfigs'),
  kubeadmConfigTemplate: kind<KubeadmConfigTemplate>(
    'bootstrap.cluster.x-k8s.io/v1beta2',
    'KubeadmConfigTemplate',
    'kubeadmconfigtemplates',
  ),
  clusterResourceSet: kind<ClusterResourceSet>(ADDONS, 'ClusterResourceSet', 'clusterresourcesets'),
  clusterResourceSetBinding: kind(ADDONS, 'ClusterResourceSetBinding', 'clusterresourcesetbindings'),
  virtinkCluster: kind('infrastructure.cluster.x-k8s.io/v1beta1', 'VirtinkCluster', 'virtinkclusters'),
  virtinkMachine: kind<VirtinkMachine>('infrastructure.cluster.x-k8s.io/v1beta1', 'VirtinkMachine', 'virtinkmachines'),
  virtinkMachineTemplate: kind(
    'infrastructure.cluster.x-k8s.io/v1beta1',
    'VirtinkMachineTemplate',
    'virtinkmachinetemplates',
  ),
  kubevirtCluster: kind('infrastructure.cluster.x-k8s.io/v1alpha1', 'KubevirtCluster', 'kubevirtclusters'),
  kubevirtMachine: kind('infrastructure.cluster.x-k8s.io/v1alpha1', 'KubevirtMachine', 'kubevirtmachines'),
  kubevirtMachineTemplate: kind(
    'infrastructure.cluster.x-k8s.io/v1alpha1',
    'KubevirtMachineTemplate',
    'kubevirtmachinetemplates',
  ),
  devCluster: kind('infrastructure.cluster.x-k8s.io/v1beta2', 'DevCluster', 'devclusters'),
  devMachine: kind('infrastructure.cluster.x-k8s.io/v1beta2', 'DevMachine', 'devmachines'),
  devMachineTemplate: kind('infrastructure.cluster.x-k8s.io/v1beta2', 'DevMachineTemplate', 'devmachinetemplates'),
  virtualMachine: kind<VirtualMachine>('virt.virtink.smartx.com/v1alpha1', 'VirtualMachine', 'virtualmachines'),
  kubevirtVirtualMachine: kind('kubevirt.io/v1', 'VirtualMachine', 'virtualmachines'),
  virtualMachineInstance: kind<VirtualMachine>('kubevirt.io/v1', 'VirtualMachineInstance', 'virtualmachineinstances'),
  dataVolume: kind<DataVolume>('cdi.kubevirt.io/v1beta1', 'DataVolume', 'datavolumes'),
  ipPool: kind<IPPool>('ipam.metal3.io/v1alpha1', 'IPPool', 'ippools'),
  provider: kind<Provider>('clusterctl.cluster.x-k8s.io/v1alpha3', 'Provider', 'providers'),
  pod: kind<Pod>('v1', 'Pod', 'pods'),
  event: kind<KubernetesEvent>('v1', 'Event', 'events'),
  secret: kind<Secret>('v1', 'Secret', 'secrets'),
  service: kind<Service>('v1', 'Service', 'services'),
  configMap: kind<ConfigMap>('v1', 'ConfigMap', 'configmaps'),
  limitRange: kind<LimitRange>('v1', 'LimitRange', 'limitranges'),
  persistentVolumeClaim: kind('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  persistentVolume: kind<PersistentVolume>('v1', 'PersistentVolume', 'persistentvolumes', false),
  resourceQuota: kind<ResourceQuota>('v1', 'ResourceQuota', 'resourcequotas'),
  namespace: kind('v1', 'Namespace', 'namespaces', false),
  node: kind<Node>('v1', 'Node', 'nodes', false),
  networkPolicy: kind('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  serviceCidr: kind<ServiceCidr>('networking.k8s.io/v1', 'ServiceCIDR', 'servicecidrs', false),
  storageClass: kind<StorageClass>('storage.k8s.io/v1', 'StorageClass', 'storageclasses', false),
  deployment: kind<Deployment>('apps/v1', 'Deployment', 'deployments'),
  daemonSet: kind<DaemonSet>('apps/v1', 'DaemonSet', 'daemonsets'),
  statefulSet: kind('apps/v1', 'StatefulSet', 'statefulsets'),
  apiService: kind('apiregistration.k8s.io/v1', 'APIService', 'apiservices', false),
  lease: kind<Lease>('coordination.k8s.io/v1', 'Lease', 'leases'),
  felixConfiguration: kind<FelixConfiguration>(
    'crd.projectcalico.org/v1',
    'FelixConfiguration',
    'felixconfigurations',
    false,
  ),
  /** The same where Calico v3.32 or newer keeps it under its own API group. */
  felixConfigurationV3: kind<FelixConfiguration>(
    'projectcalico.org/v3',
    'FelixConfiguration',
    'felixconfigurations',
    false,
  ),
  /** The ranges from which Calico gives addresses. */
  calicoIpPool: kind<CalicoIpPool>('crd.projectcalico.org/v1', 'IPPool', 'ippools', false),
  /** The ranges from which Kube-OVN does. */
  kubeOvnSubnet: kind<KubeOvnSubnet>('kubeovn.io/v1', 'Subnet', 'subnets', false),
  customResourceDefinition: kind<CustomResourceDefinition>(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    'customresourcedefinitions',
    false,
  ),
} as const;

/** The kind of an object, when it is one that the action knows by itself. */
export function knownKind(object: Pick<KubernetesObject, 'apiVersion' | 'kind'>): Kind | undefined {
  return Object.values<Kind>(Kinds).find(
    ({ kind, apiVersion }) => kind === object.kind && apiVersion === object.apiVersion,
  );
}
