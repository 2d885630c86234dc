import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { PersistentVolume } from '../../host/api/objects.ts';

/** The label by which the affinity of a volume names a node. */
const HOSTNAME = 'kubernetes.io/hostname';

/** What keeps the data of local volumes from being lost with their machines. */
export const KEEP_DATA = 'delete the claims, or move their data to volumes that are not on the disk of a machine';

/** A volume of a nested cluster that is on the disk of a machine, and ends with it. */
export interface LocalVolume {
  /** The volume and its claim, for people. */
  readonly title: string;
  /** The nodes that its affinity names; none when it names no node, or not in each of its terms. */
  readonly nodes: readonly string[];
}

/** The volumes of a nested cluster that are bound, and on the disks of its machines. */
export async function localVolumes(nested: KubernetesClient): Promise<readonly LocalVolume[]> {
  const volumes = await nested.list(Kinds.persistentVolume);
  return volumes.flatMap((volume) => {
    const { metadata, spec, status } = volume;
    const isLocal = spec?.local !== undefined || spec?.hostPath !== undefined;
    if (!isLocal || status?.phase !== 'Bound') return [];
    const { namespace = '', name = '' } = spec.claimRef ?? {};
    const title = `PersistentVolume ${metadata.name} of PersistentVolumeClaim ${namespace}/${name}`;
    return [{ title, nodes: nodesOf(volume) }];
  });
}

/** A line about a volume. */
export function describeVolume({ title, nodes }: LocalVolume): string {
  return nodes.length === 0 ? `${title}, which names no node` : `${title}, on node ${nodes.join(' or ')}`;
}

/** The volumes that may be on other nodes than these. */
export function volumesElsewhere(volumes: readonly LocalVolume[], names: ReadonlySet<string>): readonly LocalVolume[] {
  return volumes.filter(({ nodes }) => nodes.length === 0 || !nodes.every((node) => names.has(node)));
}

/** The terms of an affinity are alternatives: one that names no node allows every node. */
function nodesOf({ spec }: PersistentVolume): readonly string[] {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const named = terms.map(({ matchExpressions = [] }) =>
    matchExpressions.flatMap(({ key, operator, values = [] }) => (key === HOSTNAME && operator === 'In' ? values : [])),
  );
  return named.every((nodes) => nodes.length > 0) ? [...new Set(named.flat())] : [];
}
