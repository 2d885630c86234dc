import { Kinds, type Kind } from '../../host/api/kinds.ts';
import type { ClusterResourceSet, Machine } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import { isKnownSince, namedTarget, type WatchTarget } from '../../host/api/watch.ts';
import { Labels } from '../identity/identity.ts';
import { ENGINES } from '../engines/engines.ts';
import { RESOURCE_SUFFIXES } from '../addons/resource-set.ts';

/**
 * What the names of the Secrets end with that controllers make for a cluster, or take when they exist. Source: Cluster
 * API util/secret/consts.go, "Purpose".
 */
export const SECRET_SUFFIXES: readonly string[] = [
  ...['-kubeconfig', '-ca', '-etcd', '-sa', '-proxy'],
  ...ENGINES.flatMap(({ secrets }) => secrets.ofCluster),
];

/** What the names of the Secrets end with that controllers make from the bootstrap data of a machine. */
const MACHINE_SUFFIXES = ENGINES.flatMap(({ secrets }) => secrets.ofMachine);

/**
 * The Secrets of clusters, got by their names: a permission to list Secrets would show all of a namespace. `clusters`:
 * the names of those that are still of interest. `others`: the targets whose objects name further Secrets. `isPressing`:
 * whether the Secrets may be about to go.
 */
export function secretsTarget(
  namespace: string,
  clusters: () => readonly string[],
  others: readonly WatchTarget[],
  isPressing: () => boolean,
): WatchTarget {
  // By cluster. Remembered, since an object may be gone before the Secrets that it names.
  const named = new Map<string, Set<string>>();
  const names = (): readonly string[] => {
    for (const { kind, objects } of others) {
      for (const object of objects.values()) {
        const cluster = clusterOf(object);
        named.set(cluster, new Set([...(named.get(cluster) ?? []), ...namesIn(kind, object)]));
      }
    }
    return clusters().flatMap((cluster) => [
      ...[...SECRET_SUFFIXES, ...RESOURCE_SUFFIXES].map((suffix) => `${cluster}${suffix}`),
      ...(named.get(cluster) ?? []),
    ]);
  };
  // Anybody may have given a Secret such a name.
  const isMeant = (secret: KubernetesObject): boolean => clusters().includes(clusterOf(secret));
  return namedTarget(Kinds.secret, namespace, names, {
    isMeant,
    // Asked each second: an object may be gone before the next round.
    isPressing: () => names().length > 0 && isPressing(),
  });
}

/** Knows whether Secrets were looked for after all else of a cluster was gone: until then, they may be left. */
export class LastLook {
  readonly #remains: readonly WatchTarget[];
  /** When all else was first seen to be gone, by the name of the cluster. */
  readonly #since = new Map<string, number>();

  constructor(remains: readonly WatchTarget[]) {
    this.#remains = remains;
  }

  /** Whether it was, for this cluster. `isElseGone`: whether nothing of it but Secrets may be left now. */
  isDone(cluster: string, isElseGone: boolean): boolean {
    if (!isElseGone) {
      this.#since.delete(cluster);
      return false;
    }
    const since = this.#since.get(cluster) ?? performance.now();
    this.#since.set(cluster, since);
    return this.#remains.every((target) => isKnownSince(target, since));
  }
}

function clusterOf({ metadata }: KubernetesObject): string {
  return metadata.labels?.[Labels.clusterName] ?? '';
}

/** The Secrets that an object names: a resource set those it applies, a machine those it boots with. */
function namesIn(kind: Kind, object: KubernetesObject): readonly string[] {
  if (kind === Kinds.clusterResourceSet) {
    const { spec }: ClusterResourceSet = object;
    return (spec?.resources ?? []).flatMap(({ kind, name }) => (kind === 'Secret' ? name : []));
  }
  if (kind !== Kinds.machine) return [];
  const { spec }: Machine = object;
  const data = spec?.bootstrap?.dataSecretName;
  return data === undefined ? [] : [data, ...MACHINE_SUFFIXES.map((suffix) => `${data}${suffix}`)];
}
