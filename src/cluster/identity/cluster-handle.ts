import type { Selection } from '../../host/api/paths.ts';
import { Labels } from './identity.ts';

/** Name and namespace: what passes between jobs. */
export interface ClusterHandle {
  readonly name: string;
  readonly namespace: string;
}

/** What selects everything that belongs to a cluster, in its namespace, by Cluster API's own label. */
export function belongingTo({ name, namespace }: ClusterHandle): Selection {
  return { namespace, labelSelector: `${Labels.clusterName}=${name}` };
}

/** Above so many names, a selector that lists them becomes too long for the proxies that stand before API servers. */
const MOST_NAMES = 100;

/** Selects what belongs to some of these clusters of a namespace; of very many, what belongs to any cluster. */
export function belongingToAny(namespace: string, names: readonly string[]): Selection {
  const labelSelector =
    names.length > MOST_NAMES ? Labels.clusterName : `${Labels.clusterName} in (${names.join(',')})`;
  return { namespace, labelSelector };
}
