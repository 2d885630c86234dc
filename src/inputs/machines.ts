import { controlPlaneProblem, MachineLimits } from '../values/machine-count.ts';
import type { InputReader } from './reading/reader.ts';

/** What the machines of one role are made of. */
export interface MachineImages {
  /** Of Virtink; undefined where the infrastructure decides. */
  readonly kernelImage: string | undefined;
  readonly rootfsImage: string | undefined;
  readonly rootfsSize: string | undefined;
}

/** The machines of one role. */
export interface MachineInputs extends MachineImages {
  readonly count: number;
  readonly cpuCores: number;
  readonly memorySize: string;
}

/** Reads how many control-plane machines: an odd number, for etcd. The same numbers as `replicas` takes. */
export function readControlPlaneCount(reader: InputReader): number {
  const count = reader.integer('control-plane-machine-count', 1, MachineLimits.mostControlPlanes);
  const isInRange = count >= 1 && count <= MachineLimits.mostControlPlanes;
  const problem = isInRange ? controlPlaneProblem(count) : undefined;
  if (problem !== undefined) reader.problem('control-plane-machine-count', problem);
  return count;
}

/** Reads how many workers. The same numbers as `replicas` takes. */
export function readWorkerCount(reader: InputReader): number {
  return reader.integer('worker-machine-count', 0, MachineLimits.mostWorkers);
}

/** Reads the machines of a role. */
export function readMachine(reader: InputReader, role: 'control-plane' | 'worker', count: number): MachineInputs {
  return {
    count,
    cpuCores: reader.integer(`${role}-machine-cpu-cores`, 1, 256),
    memorySize: reader.quantity(`${role}-machine-memory-size`, 2 ** 30, '1Gi'),
    ...readImages(reader, role),
    rootfsSize: reader.optionalQuantity(`${role}-machine-rootfs-size`, 2 ** 30, '1Gi'),
  };
}

/** Reads the images of the machines of a role. */
export function readImages(
  reader: InputReader,
  role: 'control-plane' | 'worker',
): Pick<MachineImages, 'kernelImage' | 'rootfsImage'> {
  return {
    kernelImage: reader.optionalImage(`${role}-machine-kernel-image`),
    rootfsImage: reader.optionalImage(`${role}-machine-rootfs-image`),
  };
}
