import { describe, expect, it } from 'vitest';
import { benchmarksPage } from '../../../scripts/bench-page.ts';
import { readResults } from '../../../scripts/bench-results.ts';
import { median, reachesGoal, rowOf } from '../../../scripts/bench-row.ts';
import { page } from './pages.ts';

const machine = { cpus: 2, model: 'CPU', memoryGiB: 8, kernel: '6.1', load: [1, 2, 3] };
const about = { name: 'speed', engine: 'any', unit: 's' } as const;

describe('a row of the benchmark', () => {
  it('has the medians and their ratio', () => {
    expect(rowOf(about, { ours: [9, 1, 2], peer: [4, 1, 6, 5] })).toEqual({
      ...about,
      ours: 2,
      peer: 4.5,
      ratio: 0.44,
      n: 3,
    });
    expect(median([3, 1])).toBe(2);
  });

  it.each([
    [{ of: 'ours', bound: 'most', value: 2 }, true],
    [{ of: 'ours', bound: 'most', value: 1.9 }, false],
    [{ of: 'ratio', bound: 'least', value: 0.5 }, true],
    [{ of: 'ratio', bound: 'least', value: 0.6 }, false],
    [{ of: 'difference', bound: 'most', value: -2 }, true],
    [{ of: 'difference', bound: 'most', value: -2.5 }, false],
  ] as const)('with the goal %j reaches it: %s', (goal, isReached) => {
    expect(reachesGoal(rowOf({ ...about, goal }, { ours: [2], peer: [4] }))).toBe(isReached);
  });
});

describe('docs/benchmarks.md', () => {
  it('has the date, the machine and every row, with goals that are missed', () => {
    const goal = { of: 'ratio', bound: 'least', value: 0.9 } as const;
    const rows = [rowOf({ ...about, goal, note: 'noted' }, { ours: [1], peer: [2] }), rowOf(about, { ours: [3] })];
    const text = benchmarksPage({ tunnel: { date: '2026-01-02', machine, versions: { node: 'v24' }, rows } });
    expect(text).toContain('2026-01-02, 2 × CPU, 8 GiB, Linux 6.1, load 1, 2, 3 at the end; node v24.');
    expect(text).toContain('| `speed` | 1 s | 2 s | 0.5 | 1 | ratio ≥ 0.9: missed | noted |');
    expect(text).toContain('| `speed` | 3 s |  |  | 1 |  |  |');
    expect(text).not.toContain('## Create');
  });

  it('has every row of bench/results.json', () => {
    const rows = Object.values(readResults()).flatMap((results) => results.rows);
    expect(rows.length).toBeGreaterThan(5);
    const text = page('docs/benchmarks.md');
    expect(rows.filter(({ name }) => !text.includes(`| \`${name}\` `))).toEqual([]);
  });
});
