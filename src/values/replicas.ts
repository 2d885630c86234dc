import { controlPlaneProblem, workerProblem } from './machine-count.ts';

/** How many machines of each role; undefined: as many as there are. */
export interface Replicas {
  readonly controlPlane: number | undefined;
  readonly workers: number | undefined;
  /** The MachineDeployment that the workers are of; undefined: the only one. */
  readonly machineDeployment: string | undefined;
}

const REPLICAS = /^(?<controlPlane>\d{0,4}):(?:(?<machineDeployment>[a-z0-9][-.a-z0-9]*)=(?=\d))?(?<workers>\d{0,4})$/;

/**
 * Parses `3:2` (`CP:WORKER`, either side blank), or `3:NAME=2` where NAME is one of several MachineDeployments. Returns
 * what is wrong with a text that is none, and what would be right.
 */
export function parseReplicas(text: string): Replicas | { readonly problem: string } {
  const groups = REPLICAS.exec(text)?.groups;
  if (groups === undefined || text === ':') return { problem: `"${text}" is not CP:WORKER; for example 3:2, 3: or :2` };
  const number = (side: string | undefined): number | undefined => (side ? Number(side) : undefined);
  const [controlPlane, workers] = [number(groups['controlPlane']), number(groups['workers'])];
  const problem =
    (controlPlane === undefined ? undefined : controlPlaneProblem(controlPlane)) ??
    (workers === undefined ? undefined : workerProblem(workers));
  if (problem !== undefined) return { problem };
  return { controlPlane, workers, machineDeployment: groups['machineDeployment'] };
}
