import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { mapConcurrently, together } from '../../../src/values/concurrency.ts';

describe('mapConcurrently', () => {
  it('keeps the order of the items, and never exceeds the limit', async () => {
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

  it('returns nothing for no items', async () => {
    expect(await mapConcurrently([], 8, () => Promise.reject(new Error('never')))).toEqual([]);
  });

  it('rejects with the first failure', async () => {
    const work = (item: number) => (item === 2 ? Promise.reject(new Error('two')) : Promise.resolve(item));
    await expect(mapConcurrently([1, 2, 3], 2, work)).rejects.toThrow('two');
  });
});

describe('together', () => {
  const never = new AbortController().signal;
  /** Work that ends some turns after the signal aborts, as a program does. */
  const untilStopped = (ended: string[], name: string) => async (stop: AbortSignal) => {
    await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
    for (let count = 0; count < 10; count++) await turn();
    ended.push(name);
    throw stop.reason;
  };

  it('resolves when all have ended', async () => {
    const ended: string[] = [];
    const work = (name: string) => async () => {
      await turn();
      ended.push(name);
    };
    await together([work('a'), work('b')], never);
    expect(ended).toEqual(['a', 'b']);
    await together([], never);
  });

  it('stops the others after a failure, and rejects with it once they have ended', async () => {
    const ended: string[] = [];
    const failure = new Error('first');
    const works = [untilStopped(ended, 'a'), () => Promise.reject(failure), untilStopped(ended, 'b')];
    await expect(together(works, never)).rejects.toBe(failure);
    expect(ended).toEqual(['a', 'b']);
  });

  it('stops all when the signal aborts, and rejects with the most informative error', async () => {
    const abort = new AbortController();
    const ended: string[] = [];
    const more = new Error('the time is up, and a pod is pending');
    const explaining = async (stop: AbortSignal) => {
      await untilStopped(ended, 'explained')(stop).catch(() => undefined);
      await turn();
      throw more;
    };
    const all = together([untilStopped(ended, 'a'), explaining], abort.signal);
    abort.abort(new Error('the time is up'));
    await expect(all).rejects.toBe(more);
    expect(ended.sort()).toEqual(['a', 'explained']);
  });
});
