import { readAction } from '../../../scripts/docs.ts';
import { KnestError } from '../../../src/errors.ts';
import { choiceOn, readInputs, type ChosenInputs, type CreateInputs, type Inputs } from '../../../src/inputs.ts';

const action = readAction();

/** Reads inputs as the runner gives them: the defaults of action.yml where nothing else is said. */
export function read(given: Readonly<Record<string, string>> = {}): Inputs {
  return readInputs((name) => given[name] ?? action.inputs[name]?.default ?? '');
}

/** What create was asked for. */
export function readCreate(given: Readonly<Record<string, string>> = {}): CreateInputs {
  const inputs = read(given);
  if (inputs.command !== 'create') throw new Error('not a create');
  return inputs;
}

/** What create was asked for, on the infrastructure that it names; on Virtink where it names none. */
export function readChosen(given: Readonly<Record<string, string>> = {}): ChosenInputs {
  const inputs = readCreate(given);
  const choice = choiceOn(inputs.infrastructure === 'auto' ? 'virtink' : inputs.infrastructure, inputs);
  if ('problems' in choice) throw new Error(JSON.stringify(choice.problems));
  return { ...inputs, ...choice };
}

/** The lines of the one error that those inputs make. */
export function problems(given: Readonly<Record<string, string>>): readonly string[] {
  try {
    read(given);
  } catch (thrown) {
    if (thrown instanceof KnestError && thrown.code === 'KNEST_INPUT') return thrown.evidence;
    throw thrown;
  }
  return [];
}

/** Machines whose two roles have nothing in common: mixed up, they show. */
export const unlikeMachines = {
  'control-plane-machine-count': '3',
  'control-plane-machine-cpu-cores': '4',
  'control-plane-machine-memory-size': '8Gi',
  'control-plane-machine-kernel-image': 'kernel:cp',
  'control-plane-machine-rootfs-image': 'rootfs:cp',
  'control-plane-machine-rootfs-size': '20Gi',
  'worker-machine-count': '0',
  'worker-machine-cpu-cores': '1',
  'worker-machine-memory-size': '2Gi',
  'worker-machine-kernel-image': 'kernel:worker',
  'worker-machine-rootfs-image': 'rootfs:worker',
  'worker-machine-rootfs-size': '10Gi',
} as const;
