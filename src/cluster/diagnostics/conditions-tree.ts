import type { Machine, Scalable } from '../../host/api/cluster-api-objects.ts';
import type { Condition, KubernetesObject } from '../../host/api/objects.ts';
import { describePodProblem, podProblem } from '../../host/pods.ts';
import { conditionText, isGood } from '../status/conditions.ts';
import type { Conditioned, Snapshot } from './snapshot.ts';
import { parentOf, podOf, virtualMachineOf } from '../status/cluster-view.ts';

/** An object and what hangs on it. */
interface Branch {
  readonly title: string;
  readonly conditions: readonly Condition[];
  readonly branches: readonly Branch[];
}

/**
 * Every object of a cluster with all of its conditions, from the Cluster down to the pods of its machines, a line
 * each. `now`: milliseconds since the epoch.
 */
export function conditionsTree(snapshot: Snapshot, now: number): readonly string[] {
  const { cluster, controlPlanes, machineDeployments, machines } = snapshot.view;
  const parents = [...controlPlanes, ...machineDeployments];
  const orphans = machines.filter((machine) => parentOf(machine, snapshot.view) === undefined);
  const root: Branch = {
    title: cluster === undefined ? 'the Cluster could not be read' : title(cluster, cluster.status?.phase),
    conditions: cluster?.status?.conditions ?? [],
    branches: [
      ...partsOf(cluster?.spec?.infrastructureRef?.name, /Cluster$/, snapshot),
      ...parents.map((parent) => parentBranch(parent, snapshot)),
      ...orphans.map((machine) => machineBranch(machine, snapshot)),
    ],
  };
  return [...linesOf(root, now), ...snapshot.unread];
}

function parentBranch(parent: Scalable, snapshot: Snapshot): Branch {
  const { spec, status } = parent;
  const machines = snapshot.view.machines.filter((machine) => parentOf(machine, snapshot.view) === parent);
  return {
    title: title(parent, `${status?.readyReplicas ?? 0} of ${spec?.replicas ?? 0} ready`),
    conditions: status?.conditions ?? [],
    branches: machines.map((machine) => machineBranch(machine, snapshot)),
  };
}

function machineBranch(machine: Machine, snapshot: Snapshot): Branch {
  const virtualMachine = virtualMachineOf(machine, snapshot.view);
  return {
    title: title(machine, machine.status?.phase),
    conditions: machine.status?.conditions ?? [],
    branches: [
      ...partsOf(machine.metadata.name, /Config$/, snapshot),
      ...partsOf(machine.spec?.infrastructureRef?.name, /Machine$/, snapshot),
      ...(virtualMachine === undefined
        ? []
        : [
            {
              title: title(virtualMachine, virtualMachine.status?.phase),
              conditions: virtualMachine.status?.conditions ?? [],
              branches: podBranches(machine, snapshot),
            },
          ]),
    ],
  };
}

function podBranches(machine: Machine, { view }: Snapshot): readonly Branch[] {
  const pod = podOf(machine, view);
  if (pod === undefined) return [];
  const problem = podProblem(pod);
  const trouble = problem === undefined ? [] : [describePodProblem(pod, problem)];
  return [
    {
      // The items of a PodList have no kind.
      title: title({ ...pod, kind: 'Pod' }, pod.status?.phase),
      conditions: pod.status?.conditions ?? [],
      branches: trouble.map((text) => ({ title: text, conditions: [], branches: [] })),
    },
  ];
}

/** What providers keep beside an object, found by the name that it refers to. */
function partsOf(name: string | undefined, kinds: RegExp, { parts }: Snapshot): readonly Branch[] {
  return parts
    .filter(({ kind, metadata }) => metadata.name === name && kinds.test(kind))
    .map((part: Conditioned) => ({
      title: title(part, undefined),
      conditions: part.status?.conditions ?? [],
      branches: [],
    }));
}

function title({ kind, metadata }: KubernetesObject, state: string | undefined): string {
  const going = metadata.deletionTimestamp === undefined ? '' : `, deleted since ${metadata.deletionTimestamp}`;
  return `${kind} ${metadata.name}${state === undefined ? '' : ` (${state})`}${going}`;
}

function linesOf({ title, conditions, branches }: Branch, now: number, depth = 0): readonly string[] {
  const indent = '  '.repeat(depth);
  const texts = conditions.map((one) => `${indent}  ${isGood(one) ? '✔' : '✖'} ${conditionText(one, now)}`);
  return [`${indent}${title}`, ...texts, ...branches.flatMap((branch) => linesOf(branch, now, depth + 1))];
}
