import type { KubernetesObject } from '../../host/api/objects.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { MEBIBYTE, parseBytes } from '../../values/quantity.ts';

/** What the VM of a machine asks of a node, in the units of a scheduler. */
export interface MachineRequests {
  /** Thousandths of a core. */
  readonly milliCpu: number;
  /** MiB. */
  readonly mebibytes: number;
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

/** `infrastructure.cluster.x-k8s.io/v1beta1` VirtinkMachineTemplate, as far as requests are concerned. */
interface MachineTemplate extends KubernetesObject {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly virtualMachineTemplate: {
          readonly spec: {
            readonly resources?: object;
            readonly instance?: {
              readonly cpu?: { readonly sockets?: number; readonly coresPerSocket?: number };
              readonly memory?: { readonly size?: string };
            };
          };
        };
      };
    };
  };
}

/**
 * The template of Virtink's machines with requests by the size of its VMs: without them, the host's scheduler puts any
 * number of VMs on a node, and the kernel kills some of them. Virtink gives them to the VM's pod. Requests that a template
 * has itself stay, and so does any other object.
 */
export function withRequests(object: KubernetesObject): KubernetesObject {
  if (object.kind !== Kinds.virtinkMachineTemplate.kind) return object;
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
