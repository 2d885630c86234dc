import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAction } from '../../scripts/docs.ts';
import { COMMANDS, readInputs, readOutcome } from '../../src/inputs.ts';
import { OUTPUTS } from '../../src/runtime.ts';

const action = readAction();
const commands = resolve(import.meta.dirname, '../../src/commands');

/** The names of the inputs that a command reads, whether it accepts their values or not. */
function asked(command: string): string[] {
  const names = new Set<string>();
  const record = (name: string): string => {
    names.add(name);
    return name === 'command' ? command : (action.inputs[name]?.default ?? 'x');
  };
  try {
    readInputs(record);
  } catch {
    // The values do not matter here.
  }
  return [...names];
}

describe('action.yml', () => {
  it('has exactly the inputs that the sources read', () => {
    const read = new Set(COMMANDS.flatMap(asked));
    readOutcome((name) => (read.add(name), ''));
    expect(Object.keys(action.inputs).sort()).toEqual([...read].sort());
  });

  it('has exactly the outputs that the commands set', () => {
    expect(Object.keys(action.outputs).sort()).toEqual(OUTPUTS);
    const sources = globSync('**/*.ts', { cwd: commands }).map((file) => readFileSync(join(commands, file), 'utf8'));
    const set = sources.flatMap((text) => [...text.matchAll(/\boutputs\.set\('([^']+)'/g)].map(([, name]) => name));
    expect([...new Set(set)].sort()).toEqual(OUTPUTS);
  });

  it('has defaults that create accepts', () => {
    expect(() => readInputs((name) => action.inputs[name]?.default ?? '')).not.toThrow();
  });

  it('has strings as defaults: the runner would accept numbers and booleans, but other YAML readers differ', () => {
    const defaults = Object.values(action.inputs).map((input): unknown => input.default);
    expect(defaults.filter((preset) => preset !== undefined && typeof preset !== 'string')).toEqual([]);
  });

  it('describes every input and output', () => {
    const described = [...Object.values(action.inputs), ...Object.values(action.outputs)];
    expect(described.filter(({ description }) => description.trim() === '')).toEqual([]);
  });

  it('has different files for main and post', () => {
    expect(action).toMatchObject({ runs: { using: 'node24', main: 'dist/index.js', post: 'dist/post.js' } });
  });
});
