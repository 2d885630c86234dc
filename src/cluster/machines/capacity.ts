import { KnestError } from '../../errors.ts';
import type { Node } from '../../host/api/objects.ts';
import type { MachineInputs } from '../../inputs.ts';
import { parseBytes } from '../../values/quantity.ts';
import type { MachineRequests, Role, VirtualMachines } from '../engines/engine.ts';
import { fitsOnEmpty } from './room.ts';

const SHOWN_NODES = 5;

/**
 * Throws KNEST_UNSCHEDULABLE when a machine is larger than every node of the host, as far as these credentials see them:
 * then it fits on none, however empty they are. What runs on them is left to the scheduler.
 */
export function checkCapacity(
  nodes: readonly Node[],
  machines: Readonly<Record<Role, MachineInputs>>,
  engine: VirtualMachines,
): void {
  for (const role of ['control-plane', 'worker'] as const) {
    const { count, cpuCores, memorySize } = machines[role];
    if (count > 0) checkRole(role, engine.requestsFor(cpuCores, memorySize), nodes);
  }
}

function checkRole(role: Role, requests: MachineRequests, nodes: readonly Node[]): void {
  if (nodes.length === 0 || nodes.some((node) => fitsOnEmpty(requests, node))) return;
  const { milliCpu, mebibytes } = requests;
  const largest = nodes.toSorted((one, other) => (memoryOf(other) ?? 0) - (memoryOf(one) ?? 0));
  throw new KnestError({
    code: 'KNEST_UNSCHEDULABLE',
    problem: `a ${role} machine does not fit on any node of the host: with its hypervisor it requests ${mebibytes}Mi of memory and ${milliCpu}m of CPU`,
    evidence: largest.slice(0, SHOWN_NODES).map(({ metadata, status }) => {
      const { cpu = 'unknown', memory = 'unknown' } = status?.allocatable ?? {};
      return `Node ${metadata.name}: memory ${memory}, CPU ${cpu} (allocatable)`;
    }),
    next: `lower ${role}-machine-memory-size or ${role}-machine-cpu-cores, or add a larger node to the host`,
  });
}

/**
 * What it means for virtual machines that no node has the device of the engine; undefined when one has, and when nothing is
 * known, as on a host where the engine is still to be installed.
 */
export function describeMissingDevice(nodes: readonly Node[], { device }: VirtualMachines): string | undefined {
  if (device === undefined) return undefined;
  const usable = nodes.filter(({ metadata }) => metadata.labels?.[device.label] === 'true');
  const hasDevice = ({ status }: Node): boolean => !/^0?$/.test(status?.allocatable?.[device.resource] ?? '');
  return usable.length === 0 || usable.some(hasDevice) ? undefined : device.withoutAny;
}

function memoryOf({ status }: Node): number | undefined {
  return parseBytes(status?.allocatable?.['memory'] ?? '');
}
