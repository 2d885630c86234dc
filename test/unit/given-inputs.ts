import { readAction } from '../../scripts/docs.ts';
import { KnestError } from '../../src/errors.ts';
import { readInputs, type CreateInputs, type Inputs } from '../../src/inputs.ts';

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
