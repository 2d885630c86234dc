import type { ErrorCode } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { Selection } from '../../host/api/paths.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Cluster, Machine } from '../../host/api/cluster-api-objects.ts';
import { conditionOf, type KubernetesObject } from '../../host/api/objects.ts';
import { unlessForbidden } from '../../host/api/api-error.ts';
import { VIRTUAL_MACHINE_KINDS } from '../engines/cluster-kinds.ts';
import { findDeadEnd } from '../status/find-dead-end.ts';
import { Labels } from '../identity/identity.ts';
import { belongingToAny } from '../identity/cluster-handle.ts';
import { hasJoined, hasReadyNode, isInitialised, type ClusterView } from '../status/cluster-view.ts';

/** The state of a cluster. */
export interface FleetState {
  /**
   * `ready`: every machine is a Ready node; `no CNI`: nodes wait for one; `failing`: waiting does not fix it; `starting`:
   * anything before that, a part of it that starts again included.
   */
  readonly state: 'ready' | 'no CNI' | 'starting' | 'failing' | 'deleting';
  /** What a create would fail with; of a cluster that is failing alone. */
  readonly code?: ErrorCode;
  /** Why, as the end of the sentence `<cluster> cannot start: …`; of a cluster that is failing alone. */
  readonly problem?: string;
}

/** The message of the kubelet while a node has no CNI. Source: kubernetes pkg/kubelet/nodestatus/setters.go, containerd pkg/cri. */
const WITHOUT_CNI = /NetworkPluginNotReady|cni plugin not initialized|no networks found in/i;

/**
 * The state of each of these clusters, as the host sees it: no request goes to the nested clusters. What these credentials
 * may not list makes the words less certain. `now`: milliseconds since the epoch.
 */
export async function readStates(
  client: KubernetesClient,
  namespace: string | undefined,
  clusters: readonly Cluster[],
  now: number,
): Promise<readonly FleetState[]> {
  return (await readViews(client, namespace, clusters)).map((view) => stateOf(view, now));
}

/** Each of these clusters with its machines, virtual machines and pods. One request a kind for all of them. */
export async function readViews(
  client: KubernetesClient,
  namespace: string | undefined,
  clusters: readonly Cluster[],
): Promise<readonly (ClusterView & { readonly cluster: Cluster })[]> {
  if (clusters.length === 0) return [];
  const names = clusters.map(({ metadata }) => metadata.name);
  const selection: Selection =
    namespace === undefined ? { labelSelector: Labels.clusterName } : belongingToAny(namespace, names);
  const [machines, virtualMachines, pods] = await Promise.all([
    unlessForbidden(client.list(Kinds.machine, selection), []),
    Promise.all(VIRTUAL_MACHINE_KINDS.map((kind) => unlessForbidden(client.list(kind, selection), []))),
    unlessForbidden(client.list(Kinds.pod, selection), []),
  ]);
  const [machinesOf, virtualMachinesOf, podsOf] = [
    byCluster(machines),
    byCluster(virtualMachines.flat()),
    byCluster(pods),
  ];
  const none = { controlPlanes: [], machineDeployments: [], resourceSets: [], dataVolumes: [], sandboxEvents: [] };
  return clusters.map((cluster) => {
    const place = placeOf(cluster.metadata.namespace, cluster.metadata.name);
    return {
      ...none,
      infrastructureCluster: undefined,
      // Lists leave the kind of their items out, which the problem of a dead end names.
      cluster: { ...cluster, kind: Kinds.cluster.kind },
      machines: (machinesOf.get(place) ?? []).map((machine) => ({ ...machine, kind: Kinds.machine.kind })),
      virtualMachines: virtualMachinesOf.get(place) ?? [],
      pods: podsOf.get(place) ?? [],
    };
  });
}

function byCluster<T extends KubernetesObject>(objects: readonly T[]): ReadonlyMap<string, readonly T[]> {
  return Map.groupBy(objects, ({ metadata }) => placeOf(metadata.namespace, metadata.labels?.[Labels.clusterName]));
}

function placeOf(namespace = '', name = ''): string {
  return `${namespace}/${name}`;
}

/** How a cluster is, by all that is known of it. `now`: milliseconds since the epoch. */
export function stateOf(view: ClusterView, now: number): FleetState {
  if (view.cluster?.metadata.deletionTimestamp !== undefined) return { state: 'deleting' };
  const deadEnd = findDeadEnd(view, (key) => ageOf(key, view, now));
  if (deadEnd !== undefined) return { state: 'failing', code: deadEnd.code, problem: deadEnd.problem };
  if (!isInitialised(view)) return { state: 'starting' };
  const machines = view.machines.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (machines.length === 0) {
    return { state: conditionOf(view.cluster, 'Available')?.status === 'True' ? 'ready' : 'starting' };
  }
  if (machines.every(hasReadyNode)) return { state: 'ready' };
  return { state: machines.some(waitsForCni) ? 'no CNI' : 'starting' };
}

function waitsForCni(machine: Machine): boolean {
  return hasJoined(machine) && WITHOUT_CNI.test(conditionOf(machine, 'NodeReady')?.message ?? '');
}

/**
 * Seconds that a problem of a pod, or of a machine that has no pod any more, may have lasted: it was not watched, so the
 * age of its youngest unmet condition counts.
 */
function ageOf(key: string, { pods, machines }: ClusterView, now: number): number {
  const [name] = key.split('/');
  const one = [...pods, ...machines].find(({ metadata }) => metadata.name === name);
  const unmet = (one?.status?.conditions ?? []).filter(({ status }) => status === 'False');
  const times = [one?.metadata.creationTimestamp, ...unmet.map(({ lastTransitionTime }) => lastTransitionTime)];
  const since = Math.max(...times.map((time) => Date.parse(time ?? '')).filter((time) => !Number.isNaN(time)));
  return Number.isFinite(since) ? Math.max(0, now - since) / 1000 : 0;
}
