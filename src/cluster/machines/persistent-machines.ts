import type { KubernetesObject } from '../../host/api/objects.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { HostClusterCni, PersistentInputs } from '../../inputs.ts';
import { addressPool } from './address-pool.ts';

/**
 * How a pod asks the host's CNI for its address, and so keeps it. The Virtink provider fills in what IPAM gave to the
 * machine. Sources: Calico, "Use a specific IP address with a pod" and "Use a specific MAC address for a pod"; Kube-OVN,
 * "Fixed Addresses"; cluster-api-provider-virtink v0.7.0 controllers/virtinkmachine_controller.go.
 */
const ADDRESS_ANNOTATIONS: Readonly<Record<HostClusterCni, Readonly<Record<string, string>>>> = {
  calico: {
    'cni.projectcalico.org/ipAddrs': '["$IP_ADDRESS"]',
    'cni.projectcalico.org/hwAddr': '$MAC_ADDRESS',
  },
  'kube-ovn': {
    'ovn.kubernetes.io/ip_address': '$IP_ADDRESS',
    'ovn.kubernetes.io/mac_address': '$MAC_ADDRESS',
  },
};

/** A disk of a VM, by its source. */
interface Volume {
  readonly name: string;
  readonly containerRootfs?: { readonly image: string; readonly size: string };
}

/** `infrastructure.cluster.x-k8s.io/v1beta1` VirtinkMachineTemplate, as far as persistent machines differ in it. */
interface MachineTemplate extends KubernetesObject {
  readonly spec: {
    readonly template: {
      readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
      readonly spec: {
        readonly virtualMachineTemplate: { readonly spec: { readonly volumes?: readonly Volume[] } };
        readonly volumeTemplates?: readonly object[];
      };
    };
  };
}

/**
 * The objects of a cluster, its machines made persistent: each has an address from the cluster's own pool, a disk that
 * outlives its pod, and a VM that is started again whenever it ends. Nothing replaces a machine, since a new one would
 * have none of its data: health checks are left out.
 */
export function persist(
  objects: readonly KubernetesObject[],
  name: string,
  { machineAddresses, hostClusterCni }: PersistentInputs,
): readonly KubernetesObject[] {
  return [
    addressPool(name, machineAddresses),
    ...objects
      .filter(({ kind }) => kind !== Kinds.machineHealthCheck.kind)
      .map((object) =>
        object.kind === Kinds.virtinkMachineTemplate.kind
          ? persistentTemplate(object as MachineTemplate, name, hostClusterCni)
          : object,
      ),
  ];
}

function persistentTemplate(object: MachineTemplate, pool: string, cni: HostClusterCni): KubernetesObject {
  const { metadata, spec } = object.spec.template;
  const { virtualMachineTemplate, volumeTemplates = [] } = spec;
  const volumes = virtualMachineTemplate.spec.volumes ?? [];
  const template = {
    metadata: { ...metadata, annotations: { ...metadata?.annotations, ...ADDRESS_ANNOTATIONS[cni] } },
    spec: {
      ...spec,
      ipPoolRef: { apiGroup: 'ipam.metal3.io', kind: Kinds.ipPool.kind, name: pool },
      virtualMachineTemplate: {
        ...virtualMachineTemplate,
        spec: { ...virtualMachineTemplate.spec, runPolicy: 'Always', volumes: volumes.map(keptVolume) },
      },
      volumeTemplates: [...volumeTemplates, ...volumes.flatMap(diskOf)],
    },
  };
  return { ...object, spec: { ...object.spec, template } } as KubernetesObject;
}

/** A root file system has its own disk, which the provider names after the machine. */
function keptVolume(volume: Volume): object {
  return volume.containerRootfs === undefined ? volume : { name: volume.name, dataVolume: { volumeName: volume.name } };
}

/** CDI fills it from the image, once. Without a class it is made by the host's default StorageClass. */
function diskOf({ name, containerRootfs }: Volume): readonly object[] {
  if (containerRootfs === undefined) return [];
  const { image, size } = containerRootfs;
  const pvc = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: size } } };
  const source = { registry: { pullMethod: 'node', url: `docker://${image}` } };
  return [{ dataVolume: { metadata: { name }, spec: { pvc, source } } }];
}
