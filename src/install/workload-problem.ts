import { conditionOf, type DaemonSet, type Deployment } from '../host/api/objects.ts';

/** Why a Deployment does not run, as the end of a sentence; undefined when it does. */
export function deploymentProblem(deployment: Deployment | undefined): string | undefined {
  if (deployment === undefined) return 'is missing';
  const available = conditionOf(deployment, 'Available');
  return available?.status === 'True' ? undefined : `is not available (${available?.message ?? 'no status yet'})`;
}

/** Why a DaemonSet does not run, as the end of a sentence; undefined when it does on at least one node. */
export function daemonSetProblem(daemonSet: DaemonSet | undefined): string | undefined {
  if (daemonSet === undefined) return 'is missing';
  const { numberReady = 0, desiredNumberScheduled = 0 } = daemonSet.status ?? {};
  return numberReady > 0 ? undefined : `runs on 0 of ${desiredNumberScheduled} nodes`;
}
