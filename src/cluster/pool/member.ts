import type { KubernetesClient } from '../../host/api/client.ts';
import { unlessForbidden } from '../../host/api/api-error.ts';
import type { Cluster, Scalable } from '../../host/api/cluster-api-objects.ts';
import { readClusters } from '../expiry/cluster-list.ts';
import { readViews, stateOf, type FleetState } from '../expiry/cluster-state.ts';
import { FOLLOWED_KINDS } from '../engines/cluster-kinds.ts';
import { belongingToAny } from '../identity/cluster-handle.ts';
import { fleetCluster, type FleetCluster } from '../identity/fleet-cluster.ts';
import {
  Annotations,
  Labels,
  repositoryLabels,
  type ClusterIdentity,
  type RepositoryIdentity,
} from '../identity/identity.ts';
import { countedMachines, machineCounts } from '../machines/machine-counts.ts';
import { hasJoined, hasReadyNode, type ClusterView } from '../status/cluster-view.ts';

/** A free cluster of a pool: one that no job has claimed. */
export interface PoolMember extends FleetCluster {
  readonly pool: string;
  readonly cluster: Cluster;
  readonly state: FleetState;
  /** The names of the host's nodes on which its machines run. */
  readonly hostNodes: readonly string[];
  /** Whether a job can use it at once. */
  readonly isReady: boolean;
  /** What tells it from clusters that other inputs make. */
  readonly fingerprint: string;
}

/** What a pool looks like. */
export interface PoolView {
  /** The free members, the oldest first. */
  readonly members: readonly PoolMember[];
  /** The names of all clusters in the namespace, claimed members and those of other repositories among them. */
  readonly taken: ReadonlySet<string>;
}

/** Which pool is meant, and what its members are to have. */
interface PoolQuery {
  readonly pool: string;
  readonly namespace: string;
  readonly repository: RepositoryIdentity;
  readonly hasCni: boolean;
  /** Milliseconds since the epoch, by the clock of the host. */
  readonly now: number;
}

/** The name of the cluster in a slot of a pool. Only one filler can create it, so that two do not make too many. */
export function slotName(pool: string, slot: number): string {
  return `${pool}-slot-${slot}`;
}

/** Reads a pool as the host has it now: never from a cache. Errors: those of `readClusters`. */
export async function findMembers(
  client: KubernetesClient,
  { pool, namespace, repository, hasCni, now }: PoolQuery,
): Promise<PoolView> {
  const all = await readClusters(client, namespace, undefined);
  const marks = Object.entries({ ...repositoryLabels(repository), [Labels.pool]: pool });
  const free = all.filter(({ metadata }) => marks.every(([label, value]) => metadata.labels?.[label] === value));
  const views = await viewsOf(client, namespace, free);
  const members = views.map((view): PoolMember => {
    const { cluster } = view;
    const fingerprint = cluster.metadata.annotations?.[Annotations.poolFingerprint] ?? '';
    const known = { state: stateOf(view, now), hostNodes: hostNodesOf(view), isReady: isReady(view, hasCni, now) };
    return { ...fleetCluster(cluster), ...known, pool, cluster, fingerprint };
  });
  const byAge = members.toSorted((one, other) => one.createdAt.localeCompare(other.createdAt));
  return { members: byAge, taken: new Set(all.map(({ metadata }) => metadata.name)) };
}

function hostNodesOf({ pods }: ClusterView): readonly string[] {
  return pods.flatMap(({ spec }) => spec?.nodeName ?? []);
}

/** Whether a Cluster is still the free member that was looked at, and stays. */
export function isFree({ metadata }: Cluster, { uid, pool }: PoolMember): boolean {
  return metadata.uid === uid && metadata.labels?.[Labels.pool] === pool && metadata.deletionTimestamp === undefined;
}

/** Each of these clusters with its machines, and with what says how many there are to be. */
async function viewsOf(
  client: KubernetesClient,
  namespace: string,
  clusters: readonly Cluster[],
): Promise<readonly (ClusterView & { readonly cluster: Cluster })[]> {
  if (clusters.length === 0) return [];
  const selection = belongingToAny(namespace, clusters.map(({ metadata }) => metadata.name)); // prettier-ignore
  const [views, controlPlanes, machineDeployments] = await Promise.all([
    readViews(client, namespace, clusters),
    unlessForbidden(client.list(FOLLOWED_KINDS.controlPlanes, selection), []),
    unlessForbidden(client.list(FOLLOWED_KINDS.machineDeployments, selection), []),
  ]);
  return views.map((view) => {
    const isIts = ({ metadata }: Scalable): boolean =>
      metadata.labels?.[Labels.clusterName] === view.cluster.metadata.name;
    return {
      ...view,
      controlPlanes: controlPlanes.filter(isIts),
      machineDeployments: machineDeployments.filter(isIts),
    };
  });
}

/**
 * Whether a cluster is as far as members of a pool are to be: all of its objects exist, and all machines that they ask for
 * are Ready nodes, or would be with a CNI where the pool has none. `now`: milliseconds since the epoch.
 */
export function isReady(view: ClusterView, hasCni: boolean, now: number): boolean {
  const { cluster, controlPlanes, machineDeployments, machines } = view;
  if (cluster?.metadata.annotations?.[Annotations.unfinished] !== undefined) return false;
  const { state } = stateOf(view, now);
  if (state !== 'ready' && (hasCni || state !== 'no CNI')) return false;
  const counts = machineCounts([
    // Lists leave the kind of their items out.
    ...controlPlanes.map((object) => ({ ...object, kind: FOLLOWED_KINDS.controlPlanes.kind })),
    ...machineDeployments.map((object) => ({ ...object, kind: FOLLOWED_KINDS.machineDeployments.kind })),
  ]);
  const nodes = machines.filter(hasCni ? hasReadyNode : hasJoined).length;
  return nodes === machines.length && nodes >= countedMachines(counts);
}

/**
 * The identity of a cluster that is made for a pool: it adopts nothing, since another filler may have made the cluster of
 * its name, or a job may use it.
 */
export function memberIdentity(identity: ClusterIdentity, pool: string, fingerprint: string): ClusterIdentity {
  return {
    ...identity,
    isNameGenerated: true,
    owner: { ...identity.owner, [Labels.pool]: pool },
    annotations: { ...identity.annotations, [Annotations.poolFingerprint]: fingerprint },
  };
}
