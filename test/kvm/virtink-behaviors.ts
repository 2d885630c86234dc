import { isDeepStrictEqual } from 'node:util';

/** An object of the API, with what these checks read. */
export interface ApiObject<Spec, Status = unknown> {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
  };
  readonly spec: Spec;
  readonly status?: Status;
}

interface Container {
  readonly name: string;
  readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
}

interface Named {
  readonly name: string;
  readonly [kind: string]: unknown;
}

/** What Virtink's controllers made of a cluster whose machines run. */
export interface VirtinkObjects {
  readonly cluster: string;
  readonly services: readonly ApiObject<{
    readonly type: string;
    readonly selector: Readonly<Record<string, string>>;
    readonly ports: readonly { readonly port: number }[];
  }>[];
  readonly virtinkClusters: readonly ApiObject<{
    readonly controlPlaneServiceTemplate?: { readonly type?: string };
  }>[];
  readonly machines: readonly ApiObject<{ readonly providerID?: string }, { readonly ready?: boolean }>[];
  readonly vms: readonly ApiObject<
    {
      readonly instance: { readonly kernel?: unknown; readonly disks: readonly Named[] };
      readonly volumes: readonly Named[];
    },
    { readonly phase?: string; readonly vmPodName?: string }
  >[];
  readonly pods: readonly ApiObject<{
    readonly initContainers: readonly Container[];
    readonly containers: readonly Container[];
  }>[];
}

type Vm = VirtinkObjects['vms'][number];

/** A row of the table in test/host/README.md that can be seen on a cluster that runs. */
export interface Behavior {
  readonly title: string;
  /** What is otherwise than in the table, one line each. */
  readonly differences: (objects: VirtinkObjects) => readonly string[];
}

/** Names what two values differ in, or nothing. */
function compare(what: string, actual: unknown, expected: unknown): readonly string[] {
  if (isDeepStrictEqual(actual, expected)) return [];
  return [`${what} is ${JSON.stringify(actual)}; expected ${JSON.stringify(expected)}`];
}

function forEachVm(check: (vm: Vm, objects: VirtinkObjects) => readonly string[]): Behavior['differences'] {
  return (objects) =>
    objects.vms.length === 0 ? ['there are no VirtualMachines'] : objects.vms.flatMap((vm) => check(vm, objects));
}

/** The pod of a VM. */
function podOf(vm: Vm, { pods }: VirtinkObjects): VirtinkObjects['pods'][number] | undefined {
  return pods.find(({ metadata }) => metadata.name === vm.status?.vmPodName);
}

/** The containers that prepare a VM, in their order: the kernel's, then one for each volume. */
function expectedInits({ spec }: Vm): readonly string[] {
  const kernel = spec.instance.kernel === undefined ? [] : ['init-kernel'];
  return [...kernel, ...spec.volumes.map(({ name }) => `init-volume-${name}`)];
}

/** What both the real Virtink and its stand-ins must do: the tests run it on these, e2e-kvm.yml on the real one. */
export const VIRTINK_BEHAVIORS: readonly Behavior[] = [
  {
    title: 'The Service is named like the cluster, has the type of the template and selects control planes',
    differences: ({ cluster, services, virtinkClusters }) => {
      const service = services.find(({ metadata }) => metadata.name === cluster);
      const { type = 'ClusterIP' } = virtinkClusters[0]?.spec.controlPlaneServiceTemplate ?? {};
      const selector = { 'cluster.x-k8s.io/cluster-name': cluster, 'cluster.x-k8s.io/control-plane': '' };
      return [
        ...compare('the type', service?.spec.type, type),
        ...compare('the selector', service?.spec.selector, selector),
        ...compare('the port', service?.spec.ports[0]?.port, 6443),
      ];
    },
  },
  {
    title: 'A VM has the name and the labels of its machine',
    differences: forEachVm((vm, { machines }) => {
      const machine = machines.find(({ metadata }) => metadata.name === vm.metadata.name);
      return compare(`the labels of ${vm.metadata.name}`, vm.metadata.labels, machine?.metadata.labels ?? 'no machine');
    }),
  },
  {
    title: 'The last disk of a VM is cloud-init, with the bootstrap data',
    differences: forEachVm((vm) => [
      ...compare('the last disk', vm.spec.instance.disks.at(-1)?.name, 'cloud-init'),
      ...compare('its volume', Object.keys(vm.spec.volumes.at(-1) ?? {}).sort(), ['cloudInit', 'name']),
    ]),
  },
  {
    title: 'The provider ID of a machine is virtink:// and the UID of its VM',
    differences: forEachVm((vm, { machines }) => {
      const machine = machines.find(({ metadata }) => metadata.name === vm.metadata.name);
      return [
        ...compare('the provider ID', machine?.spec.providerID, `virtink://${vm.metadata.uid}`),
        ...compare('ready', machine?.status?.ready, true),
      ];
    }),
  },
  {
    title: 'A VM runs, and keeps the finalizer that waits for its pods',
    differences: forEachVm((vm) => [
      ...compare('the phase', vm.status?.phase, 'Running'),
      ...compare('the finalizers', vm.metadata.finalizers, ['virtink.io/vm-protection']),
    ]),
  },
  {
    title: 'The pod is vm-NAME-…, and prepares the kernel, then each volume',
    differences: forEachVm((vm, objects) => {
      const pod = podOf(vm, objects);
      const isNamed = pod?.metadata.name.startsWith(`vm-${vm.metadata.name}-`) ?? false;
      const label = pod?.metadata.labels?.['virtink.io/vm.name'];
      // Others may add containers for the network.
      const inits = pod?.spec.initContainers
        .map(({ name }) => name)
        .filter((name) => /^init-(?:kernel|volume)/.test(name));
      return [
        ...compare(`the pod's name ${pod?.metadata.name ?? '(none)'} begins with the VM's`, isNamed, true),
        ...compare('its label', label, vm.metadata.name),
        ...compare('its init containers', inits, expectedInits(vm)),
      ];
    }),
  },
  {
    title: 'The pod asks for the devices kvm and tun',
    differences: forEachVm((vm, objects) => {
      const limits = podOf(vm, objects)?.spec.containers[0]?.resources?.limits ?? {};
      return ['kvm', 'tun'].flatMap((device) => compare(device, limits[`devices.virtink.io/${device}`], '1'));
    }),
  },
];

/** Reads what the controllers made of a cluster. `get` returns the objects of a kind with the label of the cluster. */
export async function readVirtinkObjects(
  cluster: string,
  get: (kind: string) => Promise<string>,
): Promise<VirtinkObjects> {
  const list = async (kind: string): Promise<readonly never[]> =>
    (JSON.parse(await get(kind)) as { readonly items: readonly never[] }).items;
  return {
    cluster,
    services: await list('services'),
    virtinkClusters: await list('virtinkclusters'),
    machines: await list('virtinkmachines'),
    vms: await list('virtualmachines.virt.virtink.smartx.com'),
    pods: await list('pods'),
  };
}
