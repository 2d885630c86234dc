import { knownKind, Kinds, type Kind } from '../../host/api/kinds.ts';
import {
  conditionOf,
  type DaemonSet,
  type KubernetesObject,
  type Node,
  type Pod,
  type Service,
} from '../../host/api/objects.ts';
import { CONTROL_PLANE_TAINT, tolerates, type ApiService, type PodMaker, type StatefulSet } from './pod-maker.ts';
import { deploymentProblem } from '../../install/workload-problem.ts';

/** What of add-ons is waited for. */
export const AWAITED: readonly Kind[] = [Kinds.deployment, Kinds.daemonSet, Kinds.statefulSet, Kinds.apiService];

/** An object as people name it: `Deployment ns/name`. */
export function titleOf({ kind, metadata: { namespace, name } }: KubernetesObject): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** The workloads among the objects of add-ons, and their APIServices. */
export function workloadsIn(objects: readonly KubernetesObject[]): readonly KubernetesObject[] {
  return objects.filter((object) => AWAITED.some((kind) => kind === knownKind(object)));
}

/** What a workload lacks, as the end of a sentence; undefined when it runs. `found`: what the nested cluster has of it. */
export function workloadProblem(wanted: KubernetesObject, found: KubernetesObject | undefined): string | undefined {
  if (found === undefined) return 'does not exist yet';
  switch (knownKind(wanted)) {
    case Kinds.deployment:
      return deploymentProblem(found);
    case Kinds.daemonSet: {
      if (!isSeen(found)) return 'has no pods yet';
      const { numberReady = 0, desiredNumberScheduled } = (found as DaemonSet).status ?? {};
      return numberReady === desiredNumberScheduled
        ? undefined
        : `has ${numberReady} of ${desiredNumberScheduled ?? 'an unknown number of'} pods ready`;
    }
    case Kinds.statefulSet: {
      const { spec, status }: StatefulSet = found;
      if (!isSeen(found)) return 'has no pods yet';
      const { replicas = 1 } = spec ?? {};
      const { readyReplicas = 0 } = status ?? {};
      return readyReplicas >= replicas ? undefined : `has ${readyReplicas} of ${replicas} pods ready`;
    }
    default: {
      const available = conditionOf(found as ApiService, 'Available');
      return available?.status === 'True' ? undefined : `is not available (${available?.message ?? 'no status yet'})`;
    }
  }
}

/** Whether its controller has seen a workload as it is: the numbers in the status of a new one are all 0. */
function isSeen({ metadata, status }: DaemonSet | StatefulSet): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata.generation ?? 1);
}

/** The pods of a workload. */
export function podsOf({ metadata: { namespace }, spec }: PodMaker, pods: readonly Pod[]): readonly Pod[] {
  const { matchLabels } = spec?.selector ?? {};
  if (matchLabels === undefined) return [];
  return pods.filter(({ metadata }) => metadata.namespace === namespace && matches(matchLabels, metadata.labels));
}

/** The workloads whose pods no node of the cluster takes, since all are control planes; and what such pods serve. */
export function withoutPlace(
  objects: readonly KubernetesObject[],
  nodes: readonly Node[],
): readonly KubernetesObject[] {
  const workloads = workloadsIn(objects);
  const homeless = workloads.filter((object) => isPodMaker(object) && !nodes.some((node) => takes(node, object)));
  const served = workloads.filter((object) => {
    const { service } = (object as ApiService).spec ?? {};
    const pods = objects.find(
      ({ kind, metadata }) =>
        kind === Kinds.service.kind && metadata.name === service?.name && metadata.namespace === service.namespace,
    ) as Service | undefined;
    const { selector } = pods?.spec ?? {};
    return selector !== undefined && homeless.some((maker) => isSelected(selector, maker, pods?.metadata.namespace));
  });
  return [...homeless, ...served];
}

function isPodMaker(object: KubernetesObject): boolean {
  return knownKind(object) !== Kinds.apiService;
}

/** Whether a node takes pods of a workload, as far as it is or is not a control plane. */
function takes({ spec }: Node, { spec: maker }: PodMaker): boolean {
  const tolerations = maker?.template?.spec?.tolerations ?? [];
  const taints = (spec?.taints ?? []).filter(
    ({ key, effect }) => key === CONTROL_PLANE_TAINT && effect !== 'PreferNoSchedule',
  );
  return taints.every((taint) => tolerations.some((toleration) => tolerates(toleration, taint)));
}

function isSelected(
  selector: Readonly<Record<string, string>>,
  { metadata, spec }: PodMaker,
  namespace: string | undefined,
): boolean {
  return metadata.namespace === namespace && matches(selector, spec?.template?.metadata?.labels);
}

function matches(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}
