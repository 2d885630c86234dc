import type { Machine } from '../../host/api/cluster-api-objects.ts';
import { conditionOf } from '../../host/api/objects.ts';
import { DEPLOYMENT_NAME, hasJoined, isControlPlane, type ClusterView } from '../status/cluster-view.ts';

/*
 * Machines are judged by their version and by what Cluster API says of each: in-place updates change neither their names
 * nor their number.
 */

/** Whether a Machine is what it is to be: a node of that version that stays. */
export function isUpgraded(machine: Machine, version: string): boolean {
  const { metadata, spec } = machine;
  return (
    metadata.deletionTimestamp === undefined &&
    spec?.version === version &&
    hasJoined(machine) &&
    conditionOf(machine, 'UpToDate')?.status === 'True'
  );
}

/** Whether the control plane says of itself that all of it has the version, and each of its Machines is as it is to be. */
export function isControlPlaneUpgraded(view: ClusterView, version: string): boolean {
  const [controlPlane] = view.controlPlanes;
  const { spec, status } = controlPlane ?? {};
  const { replicas = 1 } = spec ?? {};
  const isDone = status?.version === version && status.upToDateReplicas === replicas && status.replicas === replicas;
  return isDone && areUpgraded(view.machines.filter(isControlPlane), replicas, version);
}

/** Whether each of these MachineDeployments has all of its machines, of that version, and no other. */
export function areWorkersUpgraded(view: ClusterView, version: string, names: readonly string[]): boolean {
  return names.every((name) => {
    const found = view.machineDeployments.find(({ metadata }) => metadata.name === name);
    const machines = view.machines.filter(({ metadata }) => metadata.labels?.[DEPLOYMENT_NAME] === name);
    return found !== undefined && areUpgraded(machines, found.spec?.replicas ?? 0, version);
  });
}

function areUpgraded(machines: readonly Machine[], replicas: number, version: string): boolean {
  return machines.length === replicas && machines.every((machine) => isUpgraded(machine, version));
}
