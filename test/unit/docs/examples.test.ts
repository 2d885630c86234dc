import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readAction } from '../../../scripts/docs.ts';
import { readInputs } from '../../../src/inputs.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { fenced, pages } from './pages.ts';

const { inputs } = readAction();

/** The inputs of each step in an example that uses this action. Throws when it is not valid YAML. */
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

/** Values of expressions for inputs that accept only some values. */
const VALUES: Readonly<Record<string, string>> = {
  'matrix.kubernetes': '1.24.0',
  'vars.KNEST_HOST_CA_CERTIFICATE': makeCertificate().cert,
};

/** The value of an input, as the action gets it. */
function evaluated(value: unknown): string {
  return String(value).replace(/\$\{\{ (.+?) \}\}/g, (_, expression: string) => VALUES[expression] ?? 'a1');
}

const examples = pages.flatMap((file) => fenced(file, 'yaml').map((text) => ({ file, text })));

describe('examples of steps', () => {
  it.each(examples)('in $file have inputs that exist', ({ text }) => {
    const given = uses(text).flatMap((step) => Object.keys(step));
    expect(given.filter((name) => !(name in inputs))).toEqual([]);
  });

  it.each(examples)('in $file have values that the action accepts', ({ text }) => {
    for (const step of uses(text)) {
      const get = (name: string): string =>
        name in step ? evaluated(step[name]) : (inputs[name]?.default ?? '').replace(/^\$\{\{.*/, '');
      expect(() => readInputs(get)).not.toThrow();
    }
  });

  it('are found in the documents', () => {
    expect(examples.flatMap(({ text }) => uses(text)).length).toBeGreaterThan(15);
  });

  it('give an expiry to a cluster that outlives its job', () => {
    const lasting = examples.flatMap(({ file, text }) =>
      uses(text)
        .filter(({ ephemeral }) => String(ephemeral) === 'false')
        .map((step) => ({ file, step })),
    );
    expect(lasting.length).toBeGreaterThan(0);
    expect(lasting.filter(({ step }) => step['ttl'] === undefined)).toEqual([]);
  });
});
