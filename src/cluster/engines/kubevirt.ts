import { Kinds } from '../../host/api/kinds.ts';
import { conditionOf, type KubernetesObject } from '../../host/api/objects.ts';
import type { Variables } from '../../values/variables.ts';
import { MEBIBYTE, parseBytes } from '../../values/quantity.ts';
import { withDiskImage, withVirtualMachineTemplate } from './machine-template.ts';
import { refusedService } from './kubevirt-service.ts';
import type { Engine, EngineKinds, MachineRequests, Role, TemplateImages, VirtualMachines } from './engine.ts';

/** Virtual cores for each core that is requested. Source: kubevirt v1.8.4 pkg/virt-config, DefaultCPUAllocationRatio. */
const CORES_PER_CORE = 10;

/** MiB of the processes beside the guest: the launcher's, libvirt's, QEMU's and that of an I/O thread. Source: as below. */
const PROCESSES = 25 + 100 + 25 + 40 + 30 + 8;
/** MiB for each virtual core. */
const FOR_EACH_CORE = 8;
/** Bytes of memory for each byte of page tables. */
const PAGED = 512;

/**
 * What KubeVirt has the pod of a machine of that size request: a tenth of its cores, and the memory of the guest with that
 * of its hypervisor. Source: kubevirt v1.8.4 pkg/hypervisor/kvm/hypervisorbackend.go, GetMemoryOverhead, for a machine
 * without a graphics device.
 */
function machineRequests(cores: number, memorySize: string): MachineRequests {
  const guest = (parseBytes(memorySize) ?? 0) / MEBIBYTE;
  return {
    milliCpu: Math.ceil((cores * 1000) / CORES_PER_CORE),
    mebibytes: Math.ceil(guest + guest / PAGED + PROCESSES + FOR_EACH_CORE * cores),
  };
}

/** The 4 GiB of the template, and 50 MB that KubeVirt adds. Source: kubevirt v1.8.4 pkg/virt-controller/services/template.go. */
const DISK_MEBIBYTES = 4096 + 48;

/** The container that writes the serial console to its log; of newer versions an init container that keeps running. */
const CONSOLE = 'guest-console-log';

/** How the machines of KubeVirt run on the host: each VirtualMachine has an instance, and the instance a pod. */
export const virtualMachines: VirtualMachines = {
  kind: Kinds.virtualMachineInstance,
  madeFrom: [Kinds.kubevirtVirtualMachine],
  // Machine, KubevirtMachine, VirtualMachine and instance share one name. Source: cluster-api-provider-kubevirt v0.11.2
  // pkg/kubevirt/machine.go.
  of: ({ spec }, all) => all.find(({ metadata }) => metadata.name === spec?.infrastructureRef?.name),
  podOf: ({ metadata: { uid } }, pods) =>
    pods.find(({ metadata }) => (metadata.ownerReferences ?? []).some((owner) => owner.uid === uid)),
  hasEnded: ({ metadata, status }) =>
    metadata.deletionTimestamp === undefined && (status?.phase === 'Succeeded' || status?.phase === 'Failed'),
  // Source: kubevirt v1.8.4 pkg/virt-controller/watch/vmi/lifecycle.go, sync.
  refusalOf: (instance) => {
    const { status, reason, message } = conditionOf(instance, 'Synchronized') ?? {};
    return status === 'False' && reason === 'FailedCreate' ? message : undefined;
  },
  // An instance that is started again is deleted first. Source: kubevirt v1.8.4 pkg/virt-controller/watch/vm/vm.go.
  endedGrace: 15,
  // Source: kubevirt v1.8.4 pkg/virt-controller/services/rendercontainer.go and template.go.
  consoleOf: ({ spec }) =>
    [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].find(({ name }) => name === CONSOLE)?.name,
  imageAdvice: () => 'set node-image to an image that exists; docs/kubernetes-versions.md lists the public ones',
  // KubeVirt v1.9 mounts the image as a volume, which older runtimes do by an empty directory. Source: kubevirt/kubevirt#17460.
  knownFailures: [
    {
      message: /container-disk-binary\/usr\/bin\/container-disk"?: no such file or directory/,
      next: "the host's container runtime has no image volumes: have its administrator add ImageVolume to spec.configuration.developerConfiguration.disabledFeatureGates of the KubeVirt object, or update containerd to 2.3",
    },
  ],
  device: {
    label: 'kubevirt.io/schedulable',
    resource: 'devices.kubevirt.io/kvm',
    withoutAny:
      'no node of the host has devices.kubevirt.io/kvm: VMs start only if KubeVirt is set to emulate them, slowly',
  },
  roomAdvice: 'a node that KubeVirt can use (its label kubevirt.io/schedulable is true, and it has /dev/kvm)',
  diskMebibytes: DISK_MEBIBYTES,
  requestsFor: machineRequests,
  // KubeVirt computes the requests of a pod from the memory of its guest.
  withRequests: (machineTemplate) => machineTemplate,
};

/** `infrastructure.cluster.x-k8s.io/v1alpha1` KubevirtMachineTemplate, as far as the action changes it. */
interface MachineTemplate extends KubernetesObject {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly virtualMachineTemplate?: {
          readonly spec?: { readonly template?: { readonly spec?: { readonly volumes?: readonly Volume[] } } };
        };
      };
    };
  };
}

interface Volume {
  readonly name: string;
  readonly containerDisk?: { readonly image: string };
}

/** Kernel and root file system are one image, that of the only containerDisk. */
const images: TemplateImages = {
  replace(machineTemplate: KubernetesObject, _role: Role, { NODE_IMAGE: image }: Variables) {
    const { spec } = machineTemplate as MachineTemplate;
    const { virtualMachineTemplate } = spec.template.spec;
    const instance = virtualMachineTemplate?.spec?.template;
    const volumes = image && withDiskImage(instance?.spec?.volumes ?? [], 'containerDisk', image);
    if (!volumes) return undefined;
    const template = { ...instance, spec: { ...instance?.spec, volumes } };
    const vm = { ...virtualMachineTemplate, spec: { ...virtualMachineTemplate?.spec, template } };
    return withVirtualMachineTemplate(machineTemplate as MachineTemplate, vm);
  },
};

const kinds: EngineKinds = {
  cluster: Kinds.kubevirtCluster,
  machine: Kinds.kubevirtMachine,
  machineTemplate: Kinds.kubevirtMachineTemplate,
};

/** KubeVirt: each machine is a VM of QEMU in a pod of the host. */
export const kubevirt: Engine = {
  name: 'kubevirt',
  kinds,
  template: {
    kinds: [kinds.cluster, kinds.machineTemplate, Kinds.machineHealthCheck],
    machines: 'virtual machines of KubeVirt',
    withoutCni: 'none: nodes stay NotReady until you install one, and no health check recreates them meanwhile',
  },
  virtualMachines,
  // Its provider takes no addresses from a pool, and a VM that starts again has another one on most hosts.
  persistence: undefined,
  images,
  // Source: cluster-api-provider-kubevirt v0.11.2 pkg/loadbalancer/loadbalancer.go.
  services: ['-lb'],
  refusedService,
  // It watches no VMs, and comes back after 5 to 20 s. Source: the same, controllers/kubevirtmachine_controller.go.
  isSlowToLook: true,
  // Source: the same, pkg/ssh/cluster_node_ssh_keys.go and controllers/kubevirtmachine_controller.go.
  secrets: { ofCluster: ['-ssh-keys'], ofMachine: ['-userdata'] },
  // Source: manifests/release of its repository.
  controllerNamespaces: ['kubevirt'],
  runsPrivilegedPods: () => true,
};
