import { KnestError } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { writeGuarded } from '../../host/api/conflict.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Cluster, Machine, Scalable } from '../../host/api/cluster-api-objects.ts';
import type { Replicas } from '../../values/replicas.ts';
import { belongingTo, type ClusterHandle } from '../identity/cluster-handle.ts';
import { upgradeOf } from '../identity/upgrade-mark.ts';
import { findControlPlane } from '../machines/control-plane.ts';
import { describeVolume, KEEP_DATA, volumesOn, type LocalVolume } from '../machines/local-volumes.ts';
import { DEPLOYMENT_NAME, hasJoined, isControlPlane, type ClusterView } from '../status/cluster-view.ts';

/** Annotations by which an autoscaler takes the number of replicas for its own. Source: Cluster API, "Autoscaling". */
const AUTOSCALER = 'cluster.x-k8s.io/cluster-api-autoscaler-node-group-';
/** Which entry of a topology a MachineDeployment is made by. Source: cluster-api api/core/v1beta2/common_types.go. */
const TOPOLOGY_NAME = 'topology.cluster.x-k8s.io/deployment-name';

/** A part of a cluster that is to have so many replicas. */
interface ScaledPart {
  readonly object: Scalable;
  readonly replicas: number;
}

/** What is to be scaled, and what comes of it. */
export interface ScalePlan {
  /** The KubeadmControlPlane; undefined when it stays as it is. */
  readonly controlPlane: ScaledPart | undefined;
  /** A MachineDeployment; undefined when the workers stay as they are, or are none and are to be none. */
  readonly workers: ScaledPart | undefined;
  /** How many machines the cluster has in the end, those that stay included. */
  readonly machines: { readonly controlPlane: number; readonly workers: number };
}

/**
 * Finds what is to be scaled, by reference and label, whatever it is called. Throws KNEST_SCALE when that is not clear,
 * or not ours to change.
 */
export async function planScale(client: KubernetesClient, cluster: Cluster, replicas: Replicas): Promise<ScalePlan> {
  const { name, namespace = '' } = cluster.metadata;
  checkNoUpgrade(cluster);
  const controlPlane = await findControlPlane(client, cluster);
  if ('reason' in controlPlane) throw refusal(name, controlPlane.reason);
  const deployments = await client.list(Kinds.machineDeployment, belongingTo({ name, namespace }));
  const workers = replicas.workers === undefined ? undefined : chooseWorkers(name, deployments, replicas);
  const others = deployments.filter((deployment) => deployment !== workers);
  const otherWorkers = others.reduce((sum, { spec }) => sum + (spec?.replicas ?? 0), 0);
  return {
    controlPlane: scaledPart(controlPlane, replicas.controlPlane),
    workers: scaledPart(workers, replicas.workers),
    machines: {
      controlPlane: replicas.controlPlane ?? controlPlane.spec?.replicas ?? 1,
      workers: otherWorkers + (replicas.workers ?? 0),
    },
  };
}

function scaledPart(object: Scalable | undefined, replicas: number | undefined): ScaledPart | undefined {
  return object === undefined || replicas === undefined ? undefined : { object, replicas };
}

/** Between the two halves of an upgrade, no new worker of the old version could join. */
function checkNoUpgrade(cluster: Cluster): void {
  const underWay = upgradeOf(cluster);
  if (underWay === undefined) return;
  const next = 'wait for the job that upgrades it; if that failed, run it again with the same inputs: it continues';
  throw refusal(cluster.metadata.name, `it is being upgraded to ${underWay.version}`, next);
}

/** The MachineDeployment whose replicas are asked for; undefined when there is none, and is to be none. */
function chooseWorkers(
  cluster: string,
  deployments: readonly Scalable[],
  { machineDeployment, workers }: Replicas,
): Scalable | undefined {
  const names = deployments.map(({ metadata }) => metadata.name).join(', ');
  const [chosen, ...others] = deployments.filter(
    ({ metadata }) =>
      machineDeployment === undefined ||
      metadata.name === machineDeployment ||
      metadata.labels?.[TOPOLOGY_NAME] === machineDeployment,
  );
  if (others.length > 0) {
    const next = `name the one you mean: replicas ':${chosen?.metadata.name ?? ''}=${workers ?? 1}'`;
    throw refusal(cluster, `it has several MachineDeployments (${names})`, next);
  }
  if (chosen === undefined && machineDeployment !== undefined) {
    throw refusal(cluster, `it has no MachineDeployment ${machineDeployment}`, `it has ${names || 'none'}`);
  }
  if (chosen === undefined && workers !== 0) throw refusal(cluster, 'it has no MachineDeployment');
  const autoscaled = Object.keys(chosen?.metadata.annotations ?? {}).find((key) => key.startsWith(AUTOSCALER));
  if (autoscaled !== undefined) {
    throw refusal(
      cluster,
      `an autoscaler controls its workers (${autoscaled})`,
      'change the limits in that annotation',
    );
  }
  return chosen;
}

function refusal(
  name: string,
  reason: string,
  next = 'scale it where it is managed',
  evidence: readonly string[] = [],
): KnestError {
  return new KnestError({ code: 'KNEST_SCALE', problem: `${name} cannot be scaled: ${reason}`, evidence, next });
}

/** Whether a scale removes machines. */
export function removesMachines({ controlPlane, workers }: ScalePlan): boolean {
  return shrinks(controlPlane) || shrinks(workers);
}

function shrinks(part: ScaledPart | undefined): boolean {
  return part !== undefined && part.replicas < (part.object.spec?.replicas ?? 1);
}

/**
 * Throws KNEST_SCALE when data of these volumes may be lost. Cluster API chooses which machines of a part are removed, so
 * each of them may be.
 */
export function checkNoneLost(
  { name }: ClusterHandle,
  volumes: readonly LocalVolume[],
  machines: readonly Machine[],
  { controlPlane, workers }: ScalePlan,
): void {
  const mayGo = (machine: Machine): boolean =>
    (shrinks(controlPlane) && isControlPlane(machine)) || (shrinks(workers) && isOf(machine, workers));
  const nodes = machines.filter(mayGo).flatMap(({ status }) => status?.nodeRef?.name ?? []);
  const atRisk = volumesOn(volumes, new Set(nodes));
  if (atRisk.length === 0) return;
  const reason = 'volumes on the disks of machines that may be removed would be lost';
  throw refusal(name, reason, KEEP_DATA, atRisk.map(describeVolume));
}

function isOf({ metadata }: Machine, deployment: ScaledPart | undefined): boolean {
  return metadata.labels?.[DEPLOYMENT_NAME] === deployment?.object.metadata.name;
}

/**
 * Asks for the replicas; for a ClusterClass, changes the Cluster itself, which would revert changes of its parts.
 * Throws what RestClient throws.
 */
export async function requestScale(client: KubernetesClient, cluster: Cluster, plan: ScalePlan): Promise<void> {
  const { controlPlane, workers } = plan;
  const hasTopology = cluster.spec?.topology !== undefined;
  const entry = hasTopology ? workers?.object.metadata.labels?.[TOPOLOGY_NAME] : undefined;
  if (hasTopology && (controlPlane !== undefined || entry !== undefined)) {
    await patchTopology(client, cluster, plan, entry);
  }
  const namespace = cluster.metadata.namespace ?? '';
  const patch = ({ replicas }: ScaledPart): object => ({ spec: { replicas } });
  if (controlPlane !== undefined && !hasTopology) {
    const { name } = controlPlane.object.metadata;
    await client.patch(Kinds.kubeadmControlPlane, name, namespace, patch(controlPlane));
  }
  // Beside those of its topology, a cluster may have other MachineDeployments.
  if (workers !== undefined && entry === undefined) {
    await client.patch(Kinds.machineDeployment, workers.object.metadata.name, namespace, patch(workers));
  }
}

/** Changes the topology of a Cluster; `entry`: the name in it of the workers that are scaled, if any are. */
async function patchTopology(
  client: KubernetesClient,
  cluster: Cluster,
  { controlPlane, workers }: ScalePlan,
  entry: string | undefined,
): Promise<void> {
  const scaled = await writeGuarded(client, Kinds.cluster, cluster, async ({ metadata, spec }) => {
    const { name, namespace = '', resourceVersion } = metadata;
    const deployments = spec?.topology?.workers?.machineDeployments ?? [];
    const machineDeployments = deployments.map((one) =>
      one.name === entry ? { ...one, replicas: workers?.replicas } : one,
    );
    const topology = {
      ...(controlPlane !== undefined && { controlPlane: { replicas: controlPlane.replicas } }),
      ...(entry !== undefined && { workers: { machineDeployments } }),
    };
    // A merge patch replaces the list as a whole: only the one that was read.
    return client.patch(Kinds.cluster, name, namespace, { metadata: { resourceVersion }, spec: { topology } });
  });
  if (scaled === undefined) throw refusal(cluster.metadata.name, 'it was deleted in the meantime');
}

/** Whether what was scaled has exactly these machines, each of them a node, and none on its way out. */
export function isScaled({ machines }: ClusterView, { controlPlane, workers }: ScalePlan): boolean {
  const isDone = (part: ScaledPart | undefined, isPart: (machine: Machine) => boolean): boolean => {
    if (part === undefined) return true;
    const found = machines.filter(isPart);
    const stays = (machine: Machine): boolean => machine.metadata.deletionTimestamp === undefined && hasJoined(machine);
    return found.length === part.replicas && found.every(stays);
  };
  return isDone(controlPlane, isControlPlane) && isDone(workers, (machine) => isOf(machine, workers));
}
