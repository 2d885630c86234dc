import type { Infrastructure } from '../../catalog/infrastructures.ts';
import type { Kind } from '../../host/api/kinds.ts';
import type { Cluster, Machine, VirtualMachine } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesObject, Pod, Service } from '../../host/api/objects.ts';
import type { HostClusterCni } from '../../inputs.ts';
import type { Variables } from '../../values/variables.ts';

/** The engines; `other` stands for every provider that has no file here. */
export type EngineName = Infrastructure | 'other';

/** A role of machines, as the inputs for them begin. */
export type Role = 'control-plane' | 'worker';

/** What makes the machines of a cluster, and all that the action needs to know about it. */
export interface Engine {
  readonly name: EngineName;
  /** The kinds that Cluster API leaves to its provider; undefined when they are not known. */
  readonly kinds: EngineKinds | undefined;
  /** The action's template for its clusters; undefined when only users have one. */
  readonly template: OwnTemplate | undefined;
  /** How its machines run on the host; undefined when they are followed by their Machine objects alone. */
  readonly virtualMachines: VirtualMachines | undefined;
  /** What makes its machines persistent; undefined when they cannot be. */
  readonly persistence: Persistence | undefined;
  /** How its machine templates name images; undefined when no image decides on the version of Kubernetes. */
  readonly images: TemplateImages | undefined;
  /**
   * What the names of the Services end with that its provider creates, after the name of the cluster's infrastructure.
   * The API server is looked for behind the first, then by its address.
   */
  readonly services: readonly string[];
  /**
   * The Service that the provider could not create, when its cluster says so without the reason; the whole is undefined for
   * a provider that gives the reason.
   */
  readonly refusedService:
    ((infrastructureCluster: KubernetesObject, cluster: string) => Service | undefined) | undefined;
  /** What the names of the Secrets end with that its provider creates. */
  readonly secrets: EngineSecrets;
  /** Whether its provider looks at VMs only every few seconds, and at once when the object of their machine changes. */
  readonly isSlowToLook: boolean;
  /** The namespaces of its controllers, apart from its provider's, which have a label. */
  readonly controllerNamespaces: readonly string[];
  /** Whether privileged pods run in the namespace of such a cluster. */
  runsPrivilegedPods(cluster: Cluster): boolean;
}

/** The kinds of a provider's objects, by what each stands for. */
export interface EngineKinds {
  readonly cluster: Kind;
  readonly machine: Kind;
  readonly machineTemplate: Kind;
}

/** What the machine templates of an engine have machines boot. */
export interface TemplateImages {
  /**
   * The same template for machines that boot these images, the variables of the action's own templates. Undefined when it
   * does not have them in one place, which these could take.
   */
  replace(machineTemplate: KubernetesObject, role: Role, images: Variables): KubernetesObject | undefined;
}

/** Suffixes of the Secrets that a provider creates. */
interface EngineSecrets {
  /** After the name of the cluster. */
  readonly ofCluster: readonly string[];
  /** After the name of the bootstrap data of a machine. */
  readonly ofMachine: readonly string[];
}

/** A template of the action, the file of the engine's name in src/cluster/template/templates. */
export interface OwnTemplate {
  /** The kinds that it has, beside those of every cluster. */
  readonly kinds: readonly Kind[];
  /** What its machines are, as a plural. */
  readonly machines: string;
  /** What it means for the nodes that no CNI is installed. */
  readonly withoutCni: string;
}

/** What the VM of a machine asks of a node, in the units of a scheduler. */
export interface MachineRequests {
  /** Thousandths of a core. */
  readonly milliCpu: number;
  /** MiB. */
  readonly mebibytes: number;
}

/** A failure that waiting does not fix, by the message of the container. */
interface KnownFailure {
  readonly message: RegExp;
  readonly next: string;
}

/** A resource of nodes. */
export interface NodeDevice {
  /** The label of nodes on which the engine runs. */
  readonly label: string;
  /** The name of the resource. */
  readonly resource: string;
  /** What it means that no node has any. */
  readonly withoutAny: string;
}

/** Machines that are virtual machines, each in a pod of the host. */
export interface VirtualMachines {
  readonly kind: Kind<VirtualMachine>;
  /** What a virtual machine is made from, and made again: it has to go too. */
  readonly madeFrom: readonly Kind[];
  /** The virtual machine of a Machine. */
  of(machine: Machine, all: readonly VirtualMachine[]): VirtualMachine | undefined;
  /** The pod that a virtual machine runs in. */
  podOf(virtualMachine: VirtualMachine, pods: readonly Pod[]): Pod | undefined;
  /** Whether a virtual machine has ended and nothing starts it again. */
  hasEnded(virtualMachine: VirtualMachine): boolean;
  /** What the host says to the pod of a virtual machine when it refuses that. */
  refusalOf(virtualMachine: VirtualMachine): string | undefined;
  /**
   * Seconds after which an ended one counts as such: one that is started again is replaced before, and the Machine
   * of one that is being deleted is marked. Each kind has its own watch, so the mark may be seen later than the end.
   */
  readonly endedGrace: number;
  /** The container of a pod whose log is the serial console; undefined: the pod's first. */
  consoleOf(pod: Pod): string | undefined;
  /** What to do when the image of a container cannot be pulled. */
  imageAdvice(role: Role, container: string): string;
  /** What a pod of a machine says when the host itself keeps it from starting, and what to do then. */
  readonly knownFailures: readonly KnownFailure[];
  /** What a node has for each virtual machine, where the engine labels the nodes that it can use. */
  readonly device: NodeDevice | undefined;
  /** What to add to a host on which no node has room for a virtual machine. */
  readonly roomAdvice: string;
  /** MiB that the pod of a machine requests for what its guest writes. */
  readonly diskMebibytes: number;
  /** What a machine of that size requests. */
  requestsFor(cores: number, memorySize: string): MachineRequests;
  /** A machine template whose virtual machines request what their size says. Requests that it has itself stay. */
  withRequests(machineTemplate: KubernetesObject): KubernetesObject;
}

/** Machines whose disks and addresses outlive their pods. The disks are DataVolumes, the addresses from an IPPool. */
export interface Persistence {
  /** The names of the disks of an infrastructure machine. */
  disksOf(infrastructureMachine: KubernetesObject): readonly string[];
  /** What the names of all disks begin with of the infrastructure machine of that name. */
  diskPrefix(infrastructureMachine: string): string;
  /** What to do when the image of a disk cannot be pulled. */
  imageAdvice(role: Role): string;
  /** A machine template whose machines are persistent, with addresses from that pool. */
  persist(machineTemplate: KubernetesObject, pool: string, cni: HostClusterCni): KubernetesObject;
}
