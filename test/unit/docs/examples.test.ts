import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readAction } from '../../../scripts/docs.ts';
import { fenced, pages } from './pages.ts';

const { inputs } = readAction();

/** What an example gives each step that uses this action. Throws when it is not valid YAML. */
function uses(example: string): readonly Readonly<Record<string, unknown>>[] {
  const found: Readonly<Record<string, unknown>>[] = [];
  parse(example, (_key, value: unknown) => {
    if (typeof value === 'object' && value !== null && 'uses' in value && 'with' in value) {
      const { uses, with: given } = value;
      if (String(uses).startsWith('knest/knest-action@')) found.push(given as Readonly<Record<string, unknown>>);
    }
    return value;
  });
  return found;
}

const examples = pages.flatMap((file) => fenced(file, 'yaml').map((text) => ({ file, text })));

describe('examples of steps', () => {
  it.each(examples)('in $file have inputs that exist', ({ text }) => {
    const given = uses(text).flatMap((step) => Object.keys(step));
    expect(given.filter((name) => !(name in inputs))).toEqual([]);
  });

  it('are found', () => {
    expect(examples.flatMap(({ text }) => uses(text)).length).toBeGreaterThan(15);
  });

  it('give a cluster that outlives its job an expiry', () => {
    const lasting = examples.flatMap(({ file, text }) =>
      uses(text)
        .filter(({ ephemeral }) => String(ephemeral) === 'false')
        .map((step) => ({ file, step })),
    );
    expect(lasting.length).toBeGreaterThan(0);
    expect(lasting.filter(({ step }) => step['ttl'] === undefined)).toEqual([]);
  });
});
