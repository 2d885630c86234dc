import type { KubernetesObject } from '../../host/api/objects.ts';

/** How many machines the objects of a cluster ask for; undefined where that is not for them to say. */
export interface MachineCounts {
  readonly controlPlane: number | undefined;
  readonly workers: number | undefined;
}

interface Counted {
  readonly replicas?: number;
}

/** What of an object counts machines. Source: the v1beta1 and v1beta2 types of Cluster API, which agree in this. */
interface Counting extends KubernetesObject {
  readonly spec?: Counted & {
    readonly topology?: {
      readonly controlPlane?: Counted;
      readonly workers?: {
        readonly machineDeployments?: readonly Counted[];
        readonly machinePools?: readonly Counted[];
      };
    };
  };
}

/**
 * Counts the machines that a template's objects ask for. A KubeadmControlPlane, MachineDeployments and a topology say
 * so; another control plane may have no machines at all, and a MachinePool's are not Machines everywhere.
 */
export function machineCounts(objects: readonly KubernetesObject[]): MachineCounts {
  const of = (kind: string): readonly Counting[] => objects.filter((object) => object.kind === kind);
  const topology = of('Cluster')[0]?.spec?.topology;
  const [controlPlane] = of('KubeadmControlPlane');
  const { machineDeployments = [], machinePools = [] } = topology?.workers ?? {};
  const deployments = [...of('MachineDeployment').map(({ spec }) => spec ?? {}), ...machineDeployments];
  const isCountable = machinePools.length === 0 && of('MachinePool').length === 0;
  return {
    controlPlane: topology?.controlPlane?.replicas ?? (controlPlane && (controlPlane.spec?.replicas ?? 1)),
    // Cluster API's own default is 1.
    workers: isCountable ? deployments.reduce((sum, { replicas = 1 }) => sum + replicas, 0) : undefined,
  };
}

/** How many machines there are to be at least: those that are counted. */
export function countedMachines({ controlPlane = 0, workers = 0 }: MachineCounts): number {
  return controlPlane + workers;
}

/** The counts for people. */
export function describeMachines({ controlPlane, workers }: MachineCounts): string {
  return `control plane: ${controlPlane ?? 'not known'}, workers: ${workers ?? 'not known'}`;
}
