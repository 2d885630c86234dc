import type { KubernetesClient } from '../host/client.ts';
import { Kinds } from '../host/kinds.ts';
import { watchTarget, watchUntil } from '../host/watch.ts';
import { Labels } from './identity.ts';
import { leftover, REMAINS } from './removal.ts';
import { belongingToAny, type ClusterHandle } from './view.ts';

/** A cluster that was asked to go. */
export interface DepartingCluster extends ClusterHandle {
  readonly uid: string;
}

/**
 * Waits until nothing is left of many clusters of one namespace, with one watch for each kind however many there are.
 * `gone` hears each one that is. Resolves with what was left of the others when the signal aborted, none when all are
 * gone. A cluster whose name another one has taken counts as gone: what is there now is the other's.
 */
export async function waitForDepartures(
  client: KubernetesClient,
  namespace: string,
  clusters: readonly DepartingCluster[],
  gone: (cluster: DepartingCluster) => void,
  signal: AbortSignal,
): Promise<ReadonlyMap<DepartingCluster, readonly string[]>> {
  const names = clusters.map(({ name }) => name);
  const present = watchTarget(Kinds.cluster, { namespace });
  const remains = REMAINS.map((kind) => watchTarget(kind, belongingToAny(namespace, names)));
  const left = ({ name, uid }: DepartingCluster): readonly string[] => {
    const current = present.objects.get(`${namespace}/${name}`);
    if (current !== undefined) return current.metadata.uid === uid ? [leftover(Kinds.cluster, current)] : [];
    return remains.flatMap(({ kind, objects }) =>
      [...objects.values()]
        .filter(({ metadata }) => metadata.labels?.[Labels.clusterName] === name)
        .map((object) => leftover(kind, object)),
    );
  };
  const waiting = new Set(clusters);
  const areGone = (): true | undefined => {
    for (const cluster of waiting) {
      if (left(cluster).length > 0) continue;
      waiting.delete(cluster);
      gone(cluster);
    }
    return waiting.size === 0 || undefined;
  };
  try {
    await watchUntil(client, [present, ...remains], areGone, signal);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
  return new Map([...waiting].map((cluster) => [cluster, left(cluster)]));
}
