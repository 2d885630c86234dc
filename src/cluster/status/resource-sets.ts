import type { ClusterResourceSet } from '../../host/api/cluster-api-objects.ts';
import { conditionOf, type Condition } from '../../host/api/objects.ts';

/** Source: cluster-api v1.14 api/addons/v1beta2/clusterresourceset_types.go. */
const APPLIED = 'ResourcesApplied';

/** Of a message, which has a sentence for each object that could not be applied. */
const MOST_CHARACTERS = 500;

/** Whether Cluster API has applied all that a set lists. */
export function isApplied(set: ClusterResourceSet): boolean {
  return conditionOf(set, APPLIED)?.status === 'True';
}

/**
 * The set with the reason why it is not applied in its condition. Cluster API writes the error of the nested API server
 * into the condition of v1beta1 alone. Source: cluster-api v1.14 core/reconcilers/clusterresourceset.
 */
export function withReasonOfSet(set: ClusterResourceSet): ClusterResourceSet {
  const { status } = set;
  const { message = '' } = status?.deprecated?.v1beta1?.conditions?.find(({ type }) => type === APPLIED) ?? {};
  if (message === '') return set;
  const explained = (condition: Condition): Condition =>
    condition.type === APPLIED && condition.status !== 'True' ? { ...condition, message } : condition;
  return { ...set, status: { ...status, conditions: (status?.conditions ?? []).map(explained) } };
}

/** Why a set is not applied, as the end of a sentence; undefined when it is. */
export function problemOfSet(set: ClusterResourceSet): string | undefined {
  if (isApplied(set)) return undefined;
  const { message = '' } = conditionOf(withReasonOfSet(set), APPLIED) ?? {};
  const text = message.replace(/\s+/g, ' ').trim();
  const short = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
  return `is not applied yet${text === '' ? '' : `: ${short}`}`;
}
