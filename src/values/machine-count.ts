/** The numbers of machines that a cluster may have, whichever command asks for them. */
export const MachineLimits = { mostControlPlanes: 9, mostWorkers: 1000 } as const;

/** Why a number of control-plane machines cannot be: etcd has a majority only of an odd number. Undefined when it can. */
export function controlPlaneProblem(count: number): string | undefined {
  const { mostControlPlanes } = MachineLimits;
  if (count >= 1 && count <= mostControlPlanes && count % 2 === 1) return undefined;
  return `etcd needs an odd number of control-plane machines, from 1 to ${mostControlPlanes}, not ${count}`;
}

/** Why a number of workers cannot be; undefined when it can. */
export function workerProblem(count: number): string | undefined {
  const { mostWorkers } = MachineLimits;
  return count >= 0 && count <= mostWorkers ? undefined : `at most ${mostWorkers} workers, not ${count}`;
}
