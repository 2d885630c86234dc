import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readAction, withTables } from '../../scripts/docs.ts';
import { COMMANDS, readInputs, readOutcome } from '../../src/inputs.ts';

const action = readAction();
const root = new URL('../../', import.meta.url);
const commands = fileURLToPath(new URL('src/commands/', root));
const readme = readFileSync(new URL('README.md', root), 'utf8');

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
    const sources = globSync('*.ts', { cwd: commands }).map((file) => readFileSync(commands + file, 'utf8'));
    const set = sources.flatMap((text) => [...text.matchAll(/\boutput\('([^']+)'/g)].map(([, name]) => name));
    expect(Object.keys(action.outputs).sort()).toEqual([...new Set(set)].sort());
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

describe('README.md', () => {
  it('explains every error code, and no other', () => {
    const source = readFileSync(new URL('src/errors.ts', root), 'utf8');
    const codes = [...source.matchAll(/\| '(KNEST_\w+)'/g)].map(([, code]) => code);
    const rows = [...readme.matchAll(/^\| `(KNEST_\w+)`/gm)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(20);
    expect(rows.sort()).toEqual(codes.sort());
  });

  it.each(['README.md', ...globSync('docs/*.md', { cwd: root })])('has examples as they should be: %s', (file) => {
    const text = readFileSync(new URL(file, root), 'utf8');
    const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
    const used = examples.flatMap((text) => {
      // Every `with:` of a step that uses this action.
      const steps: Record<string, unknown>[] = [];
      parse(text, (_key, value: unknown) => {
        if (typeof value === 'object' && value !== null && 'uses' in value) steps.push(value);
        return value;
      });
      return steps.filter(({ uses }) => String(uses).startsWith('knest/knest-action@'));
    });
    expect(used.length).toBeGreaterThanOrEqual(examples.length);
    const names = used.flatMap((step) => Object.keys(step['with'] as object));
    expect(names.filter((name) => !(name in action.inputs))).toEqual([]);
  });
});

describe('the tables', () => {
  const text = 'a\n<!-- inputs -->old<!-- /inputs -->\nb\n<!-- outputs --><!-- /outputs -->\nc';

  it('replace what is between the markers and nothing else', () => {
    const made = withTables(text, {
      inputs: { size: { description: 'big | small', default: '4Gi' }, name: { description: 'Name' } },
      outputs: { server: { description: 'Address' } },
    });
    expect(made.split('\n').filter((line) => line !== '')).toEqual([
      'a',
      '<!-- inputs -->',
      '| Input | What it is | Default |',
      '| --- | --- | --- |',
      '| `size` | big \\| small | `4Gi` |',
      '| `name` | Name |  |',
      '<!-- /inputs -->',
      'b',
      '<!-- outputs -->',
      '| Output | What it is |',
      '| --- | --- |',
      '| `server` | Address |',
      '<!-- /outputs -->',
      'c',
    ]);
    expect(withTables(made, { inputs: {}, outputs: {} })).not.toContain('big');
  });

  it('want both markers', () => {
    expect(() => withTables('<!-- inputs -->', { inputs: {}, outputs: {} })).toThrow(
      '<!-- inputs --> … <!-- /inputs -->',
    );
  });
});
