import { Kinds } from '../../host/api/kinds.ts';
import type { VirtinkMachine } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import type { HostClusterCni } from '../../inputs.ts';
import type { Variables } from '../../values/variables.ts';
import { MEBIBYTE, parseBytes } from '../../values/quantity.ts';
import { withDiskImage, withVirtualMachineTemplate } from './machine-template.ts';
import type {
  Engine,
  EngineKinds,
  MachineRequests,
  Persistence,
  Role,
  TemplateImages,
  VirtualMachines,
} from './engine.ts';

/** `infrastructure.cluster.x-k8s.io/v1beta1` VirtinkMachineTemplate, as far as the action changes it. */
interface MachineTemplate extends KubernetesObject {
  readonly spec: {
    readonly template: {
      readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
      readonly spec: {
        readonly virtualMachineTemplate: {
          readonly spec: {
            readonly resources?: object;
            readonly instance?: {
              readonly cpu?: { readonly sockets?: number; readonly coresPerSocket?: number };
              readonly memory?: { readonly size?: string };
              readonly kernel?: { readonly image: string };
            };
            readonly volumes?: readonly Volume[];
          };
        };
        readonly volumeTemplates?: readonly object[];
      };
    };
  };
}

/** A disk of a VM, by its source. */
interface Volume {
  readonly name: string;
  readonly containerRootfs?: { readonly image: string; readonly size: string };
}

/**
 * Virtual cores for each core that is requested. Machines of CI jobs are idle most of the time, so they share cores;
 * memory they do not. KubeVirt has the same ratio by default (spec.configuration.developerConfiguration.cpuAllocationRatio).
 */
const CORES_PER_CORE = 10;

/** MiB of the hypervisor itself. Source: virtink v0.15.0 pkg/controller/vm_webhook.go, memoryOverhead. */
const HYPERVISOR = 256;

/** What a machine of that size requests: a tenth of its cores, and its memory with that of its hypervisor. */
export function machineRequests(cores: number, memorySize: string): MachineRequests {
  return {
    milliCpu: Math.ceil((cores * 1000) / CORES_PER_CORE),
    mebibytes: Math.ceil((parseBytes(memorySize) ?? 0) / MEBIBYTE) + HYPERVISOR,
  };
}

/**
 * A template with requests by the size of its VMs: without them, the host's scheduler puts any number of VMs on a node,
 * and the kernel kills some of them. Virtink gives them to the VM's pod.
 */
function withRequests(object: KubernetesObject): KubernetesObject {
  const { spec } = object as MachineTemplate;
  const { virtualMachineTemplate } = spec.template.spec;
  const machine = virtualMachineTemplate.spec;
  const { cpu, memory } = machine.instance ?? {};
  if (machine.resources !== undefined || memory?.size === undefined) return object;
  const { milliCpu, mebibytes } = machineRequests((cpu?.sockets ?? 1) * (cpu?.coresPerSocket ?? 1), memory.size);
  const resources = { requests: { cpu: `${milliCpu}m`, memory: `${mebibytes}Mi` } };
  const template = { ...virtualMachineTemplate, spec: { ...machine, resources } };
  const machineSpec = { ...spec.template.spec, virtualMachineTemplate: template };
  return { ...object, spec: { ...spec, template: { ...spec.template, spec: machineSpec } } } as KubernetesObject;
}

/** How the machines of Virtink run on the host. */
export const virtualMachines: VirtualMachines = {
  kind: Kinds.virtualMachine,
  madeFrom: [],
  // The provider gives it the name of the VirtinkMachine.
  of: ({ spec }, all) => all.find(({ metadata }) => metadata.name === spec?.infrastructureRef?.name),
  podOf: ({ status }, pods) => pods.find(({ metadata }) => metadata.name === status?.vmPodName),
  // The VM of a persistent machine runs Always. Source: virtink v0.15.0 pkg/controller/vm_controller.go, reconcile.
  hasEnded: ({ spec, status }) => {
    const isRestarted = spec?.runPolicy === 'Always';
    if (status?.phase === 'Failed') return !isRestarted && spec?.runPolicy !== 'RerunOnFailure';
    return status?.phase === 'Succeeded' && !isRestarted;
  },
  // It reports that in an event alone.
  refusalOf: () => undefined,
  endedGrace: 10,
  // Source: virtink v0.15.0 pkg/controller/vm_controller.go, buildVMPod.
  consoleOf: ({ spec }) => spec?.containers?.find(({ name }) => name === 'cloud-hypervisor')?.name,
  imageAdvice: (role, container) => {
    const part = container.includes('kernel') ? 'kernel' : 'rootfs';
    const advice = `set ${role}-machine-${part}-image to an image that exists`;
    return part === 'kernel'
      ? advice
      : `${advice} (public: smartxworks/capch-rootfs-1.24.0), or kubernetes-version to 1.24.0`;
  },
  knownFailures: [],
  device: undefined,
  roomAdvice: "a node with Virtink's devices",
  diskMebibytes: 0,
  requestsFor: machineRequests,
  withRequests,
};

/**
 * How a pod asks the host's CNI for its address, and so keeps it. The provider fills in what IPAM gave to the machine.
 * Sources: Calico, "Use a specific IP address with a pod" and "Use a specific MAC address for a pod"; Kube-OVN, "Fixed
 * Addresses"; cluster-api-provider-virtink v0.7.0 controllers/virtinkmachine_controller.go.
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

/** A template with an address from a pool, a disk that outlives the pod, and a VM that is started again when it ends. */
function persist(object: KubernetesObject, pool: string, cni: HostClusterCni): KubernetesObject {
  const { spec: objectSpec } = object as MachineTemplate;
  const { metadata, spec } = objectSpec.template;
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
  return { ...object, spec: { ...objectSpec, template } } as KubernetesObject;
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

/** The provider's name for a disk. Source: cluster-api-provider-virtink v0.7.0, buildDataVolumes. */
function diskPrefix(machine: string): string {
  return `${machine}-`;
}

const persistence: Persistence = {
  disksOf: (object) => {
    const { metadata, spec }: VirtinkMachine = object;
    return (spec?.volumeTemplates ?? []).flatMap(({ dataVolume }) => {
      const volume = dataVolume?.metadata?.name;
      return volume === undefined ? [] : [`${diskPrefix(metadata.name)}${volume}`];
    });
  },
  diskPrefix,
  imageAdvice: (role) =>
    `set ${role}-machine-rootfs-image to an image that CDI can import (public: smartxworks/capch-rootfs-cdi-1.24.0)`,
  persist,
};

/** Kernel and root file system are an image each. */
const images: TemplateImages = {
  replace(machineTemplate: KubernetesObject, role: Role, variables: Variables) {
    const { spec } = machineTemplate as MachineTemplate;
    const { virtualMachineTemplate } = spec.template.spec;
    const { instance, volumes: disks = [] } = virtualMachineTemplate.spec;
    const prefix = role === 'worker' ? 'WORKER' : 'CONTROL_PLANE';
    const kernel = variables[`${prefix}_MACHINE_KERNEL_IMAGE`];
    const rootfs = variables[`${prefix}_MACHINE_ROOTFS_IMAGE`];
    const volumes = rootfs && withDiskImage(disks, 'containerRootfs', rootfs);
    if (!volumes || kernel === undefined || instance?.kernel === undefined) return undefined;
    const machine = {
      ...virtualMachineTemplate.spec,
      instance: { ...instance, kernel: { ...instance.kernel, image: kernel } },
      volumes,
    };
    return withVirtualMachineTemplate(machineTemplate as MachineTemplate, { ...virtualMachineTemplate, spec: machine });
  },
};

const kinds: EngineKinds = {
  cluster: Kinds.virtinkCluster,
  machine: Kinds.virtinkMachine,
  machineTemplate: Kinds.virtinkMachineTemplate,
};

/** Virtink: each machine is a VM of Cloud Hypervisor in a pod of the host. */
export const virtink: Engine = {
  name: 'virtink',
  kinds,
  template: {
    kinds: [kinds.cluster, kinds.machineTemplate, Kinds.machineHealthCheck],
    machines: 'virtual machines',
    withoutCni: 'none: nodes stay NotReady until you install one, and no health check recreates them meanwhile',
  },
  virtualMachines,
  persistence,
  images,
  // It has the name of the VirtinkCluster.
  services: [''],
  refusedService: undefined,
  isSlowToLook: false,
  secrets: { ofCluster: [], ofMachine: [] },
  // Source: deploy/ of its repository.
  controllerNamespaces: ['virtink-system'],
  runsPrivilegedPods: () => true,
};
