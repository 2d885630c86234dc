import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { watchTarget, watchUntil } from '../../host/api/watch.ts';
import { Labels } from '../identity/identity.ts';
import { leftover, noteUnverified, remainsOf } from './delete.ts';
import { LastLook } from './secrets.ts';
import type { ClusterHandle } from '../identity/cluster-handle.ts';

/** A cluster that was asked to go. */
export interface DepartingCluster extends ClusterHandle {
  readonly uid: string;
}

/** What is known when the wait for many clusters ends. */
export interface Departures {
  /** What was left of each cluster that is not gone. */
  readonly left: ReadonlyMap<DepartingCluster, readonly string[]>;
  /** What these credentials may not list, as plurals: nobody knows whether something of it is left. */
  readonly unverified: readonly string[];
}

/**
 * Waits until nothing is left of many clusters of one namespace, or the signal aborts, with one watch for each kind
 * however many clusters there are. `gone` is called with each one that is. A cluster whose name another one has taken
 * counts as gone: what is there now is the other's.
 */
export async function waitForDepartures(
  client: KubernetesClient,
  namespace: string,
  clusters: readonly DepartingCluster[],
  gone: (cluster: DepartingCluster) => void,
  signal: AbortSignal,
): Promise<Departures> {
  const names = clusters.map(({ name }) => name);
  const present = watchTarget(Kinds.cluster, { namespace });
  const waiting = new Set(clusters);
  const isWithoutCluster = ({ name }: DepartingCluster): boolean => !present.objects.has(`${namespace}/${name}`);
  const remains = remainsOf(
    namespace,
    names,
    () => [...waiting].some(isWithoutCluster),
    () => [...waiting].map(({ name }) => name),
  );
  const unverified = new Set<string>();
  const left = ({ name, uid }: DepartingCluster, among = remains): readonly string[] => {
    const current = present.objects.get(`${namespace}/${name}`);
    if (current !== undefined) return current.metadata.uid === uid ? [leftover(Kinds.cluster, current)] : [];
    return among.flatMap(({ kind, objects }) =>
      [...objects.values()]
        .filter(({ metadata }) => metadata.labels?.[Labels.clusterName] === name)
        .map((object) => leftover(kind, object)),
    );
  };
  const others = remains.filter(({ byName }) => byName === undefined);
  const lastLook = new LastLook(remains);
  const areGone = (): true | undefined => {
    for (const cluster of waiting) {
      const isLookedFor = lastLook.isDone(cluster.name, left(cluster, others).length === 0);
      const isReplaced = !isWithoutCluster(cluster);
      if (left(cluster).length > 0 || (!isReplaced && !isLookedFor)) continue;
      waiting.delete(cluster);
      gone(cluster);
    }
    return waiting.size === 0 || undefined;
  };
  try {
    await watchUntil(client, [present, ...remains], areGone, signal, noteUnverified(unverified));
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
  const entries = [...waiting].map((cluster) => [cluster, left(cluster)] as const);
  return { left: new Map(entries), unverified: [...unverified] };
}
