import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { mapConcurrently } from '../../../src/values/concurrency.ts';

describe('mapConcurrently', () => {
  it('keeps the order of the items, and never does more than the limit at once', async () => {
    let running = 0;
    let most = 0;
    const results = await mapConcurrently([5, 1, 4, 1, 3, 2], 3, async (turns) => {
      most = Math.max(most, ++running);
      for (let count = 0; count < turns; count++) await turn();
      running--;
      return turns * 10;
    });
    expect(results).toEqual([50, 10, 40, 10, 30, 20]);
    expect(most).toBe(3);
  });

  it('has nothing to do for no items', async () => {
    expect(await mapConcurrently([], 8, () => Promise.reject(new Error('never')))).toEqual([]);
  });

  it('rejects with the first failure', async () => {
    const work = (item: number) => (item === 2 ? Promise.reject(new Error('two')) : Promise.resolve(item));
    await expect(mapConcurrently([1, 2, 3], 2, work)).rejects.toThrow('two');
  });
});
