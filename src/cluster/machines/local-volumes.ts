import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Node, PersistentVolume } from '../../host/api/objects.ts';

/** The label by which the affinity of a volume names a node. */
const HOSTNAME = 'kubernetes.io/hostname';

/** What keeps the data of local volumes from being lost with their machines. */
export const KEEP_DATA = 'delete the claims, or move their data to volumes that are not on the disk of a machine';

/** A volume of a nested cluster that is on the disk of a machine, and ends with it. */
export interface LocalVolume {
  /** The volume and its claim, for people. */
  readonly title: string;
  /** The nodes that it may be on, of those that exist; `any` when its affinity names none. */
  readonly nodes: readonly string[] | 'any';
}

/** The volumes of a nested cluster that are bound, and on the disks of its machines. */
export async function localVolumes(nested: KubernetesClient): Promise<readonly LocalVolume[]> {
  const [volumes, nodes] = await Promise.all([nested.list(Kinds.persistentVolume), nested.list(Kinds.node)]);
  return volumes.flatMap((volume) => {
    const { metadata, spec, status } = volume;
    const isLocal = spec?.local !== undefined || spec?.hostPath !== undefined;
    if (!isLocal || status?.phase !== 'Bound') return [];
    const { namespace = '', name = '' } = spec.claimRef ?? {};
    const title = `PersistentVolume ${metadata.name} of PersistentVolumeClaim ${namespace}/${name}`;
    return [{ title, nodes: nodesOf(volume, nodes) }];
  });
}

/** A line about a volume. */
export function describeVolume({ title, nodes }: LocalVolume): string {
  if (nodes === 'any') return `${title}, which names no node`;
  return nodes.length === 0 ? `${title}, whose node is gone` : `${title}, on node ${nodes.join(' or ')}`;
}

/** The volumes that may be on one of these nodes. Those that name no node are not among them. */
export function volumesOn(volumes: readonly LocalVolume[], names: ReadonlySet<string>): readonly LocalVolume[] {
  return volumes.filter(({ nodes }) => nodes !== 'any' && nodes.some((node) => names.has(node)));
}

/** The terms of an affinity are alternatives: one that names no node allows every node. */
function nodesOf({ spec }: PersistentVolume, nodes: readonly Node[]): LocalVolume['nodes'] {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const named = terms.map(({ matchExpressions = [] }) =>
    matchExpressions.flatMap(({ key, operator, values = [] }) => (key === HOSTNAME && operator === 'In' ? values : [])),
  );
  if (named.length === 0 || named.some((hosts) => hosts.length === 0)) return 'any';
  const hosts = new Set(named.flat());
  const isNamed = ({ metadata: { name, labels } }: Node): boolean => hosts.has(labels?.[HOSTNAME] ?? name);
  return nodes.filter(isNamed).map(({ metadata }) => metadata.name);
}
