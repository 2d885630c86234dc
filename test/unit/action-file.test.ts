import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAction } from '../../scripts/docs.ts';
import { COMMANDS, readInputs, readOutcome } from '../../src/inputs.ts';
import { OUTPUTS } from '../../src/runtime.ts';

const action = readAction();
const commands = resolve(import.meta.dirname, '../../src/commands');

/** The names of the inputs that a command asks for, whatever it thinks of their values. */
function asked(command: string): string[] {
  const names = new Set<string>();
  const record = (name: string): string => {
    names.add(name);
    return name === 'command' ? command : (action.inputs[name]?.default ?? 'x');
  };
  try {
    readInputs(record);
  } catch {
    // The values are no matter here.
  }
  return [...names];
}

describe('action.yml', () => {
  it('has the inputs that the sources read, and no other', () => {
    const read = new Set(COMMANDS.flatMap(asked));
    readOutcome((name) => (read.add(name), ''));
    expect(Object.keys(action.inputs).sort()).toEqual([...read].sort());
  });

  it('has the outputs that the commands set, and no other', () => {
    expect(Object.keys(action.outputs).sort()).toEqual(OUTPUTS);
    const sources = globSync('**/*.ts', { cwd: commands }).map((file) => readFileSync(join(commands, file), 'utf8'));
    const set = sources.flatMap((text) => [...text.matchAll(/\boutputs\.set\('([^']+)'/g)].map(([, name]) => name));
    expect([...new Set(set)].sort()).toEqual(OUTPUTS);
  });

  it('has defaults that create can work with', () => {
    expect(() => readInputs((name) => action.inputs[name]?.default ?? '')).not.toThrow();
  });

  it('has texts for defaults: the runner would take numbers and booleans, but other readers of YAML differ', () => {
    const defaults = Object.values(action.inputs).map((input): unknown => input.default);
    expect(defaults.filter((preset) => preset !== undefined && typeof preset !== 'string')).toEqual([]);
  });

  it('describes every input and output', () => {
    const described = [...Object.values(action.inputs), ...Object.values(action.outputs)];
    expect(described.filter(({ description }) => description.trim() === '')).toEqual([]);
  });

  it('starts main and post by files that differ', () => {
    expect(action).toMatchObject({ runs: { using: 'node24', main: 'dist/index.js', post: 'dist/post.js' } });
  });
});
