import type { Machine } from '../../host/api/cluster-api-objects.ts';
import { conditionOf } from '../../host/api/objects.ts';
import { describePodProblem, podProblem } from '../../host/pods.ts';
import { isApplied } from './resource-sets.ts';
import {
  dataVolumesOf,
  hasReadyNode,
  isInitialised,
  podOf,
  virtualMachineOf,
  type ClusterView,
} from './cluster-view.ts';

/** What is worth a line when it changes, by what it is about. */
export type Progress = ReadonlyMap<string, string>;

/** How far a cluster is, one line for each thing that can change. */
export function progressOf(view: ClusterView): Progress {
  const lines = new Map<string, string>();
  const { host, port } = view.cluster?.spec?.controlPlaneEndpoint ?? {};
  if (host !== undefined && host !== '') lines.set('infrastructure', `infrastructure: API at ${host}:${port ?? 6443}`);
  for (const machine of view.machines) addMachine(lines, machine, view);
  if (isInitialised(view)) {
    lines.set('control plane', 'control plane: initialised, the nested API server answers');
  }
  for (const set of view.resourceSets) {
    const { name } = set.metadata;
    if (isApplied(set)) lines.set(`resource set ${name}`, `resource set ${name}: applied to the nested cluster`);
  }
  return lines;
}

function addMachine(lines: Map<string, string>, machine: Machine, view: ClusterView): void {
  const { name } = machine.metadata;
  const add = (topic: string, text: string): void => void lines.set(`${name}/${topic}`, `machine ${name}: ${text}`);
  add('made', 'created');
  if (machine.spec?.bootstrap?.dataSecretName !== undefined) add('bootstrap', 'bootstrap data ready');
  for (const { metadata, status } of dataVolumesOf(machine, view)) {
    const disk = metadata.name.slice(name.length + 1);
    if (status?.phase !== undefined) add(metadata.name, `disk ${disk}: ${importText(status.phase)}`);
  }
  const virtualMachine = virtualMachineOf(machine, view);
  if (virtualMachine?.status?.phase !== undefined) {
    const { phase, nodeName = '' } = virtualMachine.status;
    add('vm', nodeName === '' ? `VM ${phase.toLowerCase()}` : `VM ${phase.toLowerCase()} on ${nodeName}`);
  }
  const waits = conditionOf(machine, 'InfrastructureReady');
  // Of a provider whose machines are not looked at themselves, the condition tells as much as there is.
  const reason = waits?.message?.replace(/\s+/g, ' ').replace(/^\* /, '').trim() ?? '';
  if (virtualMachine === undefined && waits?.status === 'False' && reason !== '') add('infrastructure', reason);
  const pod = podOf(machine, view);
  const problem = pod && podProblem(pod);
  // A message counts its tries and times: a new reason is news, a new message is not.
  if (pod && problem) add(`pod/${problem.reason}`, describePodProblem(pod, problem).split('\n')[0] ?? '');
  const node = machine.status?.nodeRef?.name;
  if (node !== undefined) add('node', `joined as node ${node}`);
  if (hasReadyNode(machine)) add('ready', 'its node is Ready');
  if (machine.metadata.deletionTimestamp !== undefined) add('end', 'is being deleted');
  // Which pods it waits for, and their PodDisruptionBudgets. Its times are no news.
  const deleting = conditionOf(machine, 'Deleting');
  if (deleting?.reason === 'DrainingNode' && deleting.message !== undefined) {
    add(
      'drain',
      deleting.message
        .replace(/ \(started at [^)]*\)/, '')
        .replace(/\s+/g, ' ')
        .trim(),
    );
  }
}

/** CDI's words for how far an import is, for people: `ImportInProgress` is `import in progress`. */
function importText(phase: string): string {
  return phase === 'Succeeded' ? 'filled' : phase.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();
}

/** Milliseconds after which a wait says what it waits for, though nothing changed: before its step says that it still runs. */
const SILENCE = 50_000;

/** Says each line once, and again when it changed. */
export class ProgressLog {
  readonly #said: Map<string, string>;
  readonly #write: (line: string) => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly #now: () => number;
  #written: number;

  /** `said`: what has been written before. */
  constructor(
    write: (line: string) => void,
    said = new Map<string, string>(),
    now: () => number = () => performance.now(),
  ) {
    this.#said = said;
    this.#now = now;
    this.#written = now();
    this.#write = (line) => {
      this.#written = now();
      write(line);
    };
  }

  /** Writes what is awaited when nothing has been written for 50 s. */
  remind(awaited: () => string): void {
    if (this.#now() - this.#written >= SILENCE) this.#write(`waiting: ${awaited()}`);
  }

  /** Writes what is new. */
  show(progress: Progress): void {
    for (const [topic, line] of progress) {
      const before = this.#said.get(topic);
      if (before === line || (before !== undefined && topic.includes('/pod/'))) continue;
      this.#said.set(topic, line);
      this.#write(line);
    }
  }
}
