import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { INTERNAL_INPUTS, inputsPage, readAction } from '../../../scripts/docs.ts';

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

describe('docs/inputs.md', () => {
  it('lists inputs, then internal inputs, then outputs', () => {
    const page = inputsPage({
      inputs: {
        size: { description: 'big | small', default: '4Gi' },
        'job-index': { description: 'Leg', default: '${{ strategy.job-index }}' },
        name: { description: 'Name' },
        server: { description: 'Server', default: 'not-given' },
      },
      outputs: { server: { description: 'Address' } },
    });
    expect(lines(page.slice(page.indexOf('## Inputs')))).toEqual([
      '## Inputs',
      '| Input | What it is | Default |',
      '| --- | --- | --- |',
      '| `size` | big \\| small | `4Gi` |',
      '| `name` | Name |  |',
      '| `server` | Server | not given |',
      '## Internal inputs',
      'The runner fills in these inputs. Do not set them.',
      '| Input | What it is | Default |',
      '| --- | --- | --- |',
      '| `job-index` | Leg | `${{ strategy.job-index }}` |',
      '## Outputs',
      '| Output | What it is |',
      '| --- | --- |',
      '| `server` | Address |',
    ]);
  });

  it('treats exactly the inputs as internal that the runner fills in', () => {
    const { inputs } = readAction();
    const filled = Object.keys(inputs).filter((name) => /^\$\{\{ (?:job|strategy)\./.test(inputs[name]?.default ?? ''));
    expect([...INTERNAL_INPUTS].sort()).toEqual(filled.sort());
  });

  it('has every input and output of action.yml', () => {
    const text = readFileSync(new URL('../../../docs/inputs.md', import.meta.url), 'utf8');
    const named = [...text.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
    const { inputs, outputs } = readAction();
    expect(named.sort()).toEqual([...Object.keys(inputs), ...Object.keys(outputs)].sort());
  });
});
