import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Machine, Scalable } from '../../host/api/cluster-api-objects.ts';
import type { Condition, KubernetesEvent, KubernetesObject } from '../../host/api/objects.ts';
import { formatDuration } from '../../values/duration.ts';
import { type ClusterHandle } from '../identity/cluster-handle.ts';
import { engineOfMachine } from '../engines/engines.ts';
import { withReasonOfSet } from './resource-sets.ts';
import { parentOf, podOf, virtualMachineOf, type ClusterView } from './cluster-view.ts';

/** Conditions of Cluster API that are good when False. Source: api/core/v1beta2/v1beta2_condition_consts.go. */
const GOOD_WHEN_FALSE = new Set([
  'RollingOut',
  'ScalingUp',
  'ScalingDown',
  'Remediating',
  'Deleting',
  'Paused',
  'Updating',
]);

/** From the Cluster down to the pod of the machine that is furthest behind, as one line. */
export function describeChain(view: ClusterView): string {
  const { cluster } = view;
  if (cluster === undefined) return 'Chain: there is no Cluster';
  const machine = view.machines.find((candidate) => candidate.status?.nodeRef === undefined);
  const parents = [...view.controlPlanes, ...view.machineDeployments];
  const parent = (machine && parentOf(machine, view)) ?? parents.find(isBehind);
  const links = [
    `Cluster ${cluster.metadata.name}`,
    ...(parent === undefined ? [] : [`${parent.kind} ${parent.metadata.name} (${readyText(parent)})`]),
    ...(machine === undefined ? [] : machineLinks(machine, view)),
  ];
  return `Chain: ${links.join(' → ')}`;
}

function isBehind({ spec, status }: Scalable): boolean {
  return (status?.readyReplicas ?? 0) < (spec?.replicas ?? 0);
}

function readyText({ spec, status }: Scalable): string {
  return `${status?.readyReplicas ?? 0} of ${spec?.replicas ?? 0} ready`;
}

function machineLinks(machine: Machine, view: ClusterView): readonly string[] {
  const virtualMachine = virtualMachineOf(machine, view);
  // Lists leave the kind of their items out.
  const kind = engineOfMachine(machine).virtualMachines?.kind.kind ?? 'VM';
  const pod = podOf(machine, view);
  return [
    `Machine ${machine.metadata.name} (${machine.status?.phase ?? 'no phase yet'})`,
    machine.spec?.infrastructureRef?.kind ?? 'no infrastructure yet',
    ...(virtualMachine === undefined ? [] : [`${kind} (${virtualMachine.status?.phase ?? 'no phase yet'})`]),
    ...(pod === undefined ? [] : [`Pod ${pod.metadata.name} (${pod.status?.phase ?? 'no phase yet'})`]),
  ];
}

/**
 * Every condition that is not met, with its reason and age, causes before their consequences: from the machines up to
 * the Cluster, and of one object first those that do not sum up the others. Those whose message only lists others are left
 * out: what they list is here. `now`: milliseconds since the epoch.
 */
export function unmetConditions(view: ClusterView, now: number): readonly string[] {
  const objects = [
    ...view.machines,
    ...view.resourceSets.map(withReasonOfSet),
    ...view.controlPlanes,
    ...view.machineDeployments,
    view.cluster,
  ];
  return objects.flatMap((object) =>
    object === undefined
      ? []
      : causesFirst((object.status?.conditions ?? []).filter(isUnmet)).map((condition) =>
          describeCondition(object, condition, now),
        ),
  );
}

/** Conditions of Cluster API that follow from others of the same object, the furthest from a cause last. */
const SUMMARIES = [
  'NodeHealthy',
  'NodeReady',
  'Initialized',
  'ControlPlaneInitialized',
  'RemoteConnectionProbe',
  'Ready',
  'Available',
];

function causesFirst(conditions: readonly Condition[]): readonly Condition[] {
  return conditions.toSorted((one, other) => SUMMARIES.indexOf(one.type) - SUMMARIES.indexOf(other.type));
}

function isUnmet(condition: Condition): boolean {
  // Cluster API writes an aggregate as a list, an asterisk an item (util/conditions/merge_strategies.go).
  if (condition.message?.startsWith('* ') === true) return false;
  return !isGood(condition) && condition.type !== 'ScalingUp';
}

/** Whether a condition is as it should be. */
export function isGood({ type, status }: Condition): boolean {
  return GOOD_WHEN_FALSE.has(type) ? status !== 'True' : status === 'True';
}

function describeCondition({ kind, metadata }: KubernetesObject, condition: Condition, now: number): string {
  return `${kind} ${metadata.name}: ${conditionText(condition, now)}`;
}

/** A condition with its reason and age, as one line. `now`: milliseconds since the epoch. */
export function conditionText(condition: Condition, now: number): string {
  const { type, status, reason = 'no reason', message = '', lastTransitionTime } = condition;
  const age =
    lastTransitionTime === undefined ? '' : ` for ${formatDuration((now - Date.parse(lastTransitionTime)) / 1000)}`;
  const text = message.replace(/\s+/g, ' ').trim();
  return `${type} is ${status}${age} (${reason})${text === '' ? '' : `: ${text}`}`;
}

/** The names of everything that belongs to the cluster. */
export function namesIn(view: ClusterView): ReadonlySet<string> {
  const { cluster, controlPlanes, machineDeployments, machines, virtualMachines, pods } = view;
  const objects = [...controlPlanes, ...machineDeployments, ...machines, ...virtualMachines, ...pods];
  return new Set([...(cluster === undefined ? [] : [cluster]), ...objects].map(({ metadata }) => metadata.name));
}

/** The newest events about the cluster's own objects, newest first. */
export async function newestEvents(
  client: KubernetesClient,
  { namespace }: ClusterHandle,
  view: ClusterView,
  count: number,
): Promise<readonly string[]> {
  const names = namesIn(view);
  const events = await client.list(Kinds.event, { namespace });
  return events
    .filter(({ involvedObject }) => names.has(involvedObject?.name ?? ''))
    .sort((one, other) => timeOf(other).localeCompare(timeOf(one)))
    .slice(0, count)
    .map(describeEvent);
}

function timeOf(event: KubernetesEvent): string {
  return event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? event.metadata.creationTimestamp ?? '';
}

function describeEvent(event: KubernetesEvent): string {
  const { involvedObject, reason = '', message = '', count = 1 } = event;
  const times = count > 1 ? ` (${count} times)` : '';
  const about = `${involvedObject?.kind ?? ''} ${involvedObject?.name ?? ''}`;
  return `Event ${timeOf(event)} ${about}: ${reason}${times}: ${message.replace(/\s+/g, ' ').trim()}`;
}
