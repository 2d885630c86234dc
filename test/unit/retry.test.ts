import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pause, pauseAfter, retry } from '../../src/retry.ts';
import { rejection } from './rejection.ts';

const never = new AbortController().signal;

describe('retry', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Work that fails so many times, and when each attempt began. Milliseconds. */
  function failing(times: number) {
    const began = Date.now();
    const at: number[] = [];
    const work = async (): Promise<string> => {
      at.push(Date.now() - began);
      if (at.length <= times) throw new Error(`failure ${at.length}`);
      return Promise.resolve('done');
    };
    return { at, work };
  }

  it('returns the result of the first successful attempt', async () => {
    const { at, work } = failing(2);
    const result = retry(work, { signal: never, isRetried: () => true });
    await vi.runAllTimersAsync();
    expect(await result).toBe('done');
    expect(at).toHaveLength(3);
  });

  it('pauses longer after each failure, and rejects with the last one after the last attempt', async () => {
    const { at, work } = failing(100);
    const failed = rejection(retry(work, { signal: never, isRetried: () => true, firstPause: 1_000 }));
    await vi.runAllTimersAsync();
    expect(await failed).toMatchObject({ message: 'failure 6' });
    const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    [1_000, 2_000, 4_000, 5_000, 5_000].forEach((longest, index) => {
      expect(pauses[index]).toBeGreaterThanOrEqual(longest / 2 - 1);
      expect(pauses[index]).toBeLessThanOrEqual(longest);
    });
  });

  it('rejects at once with a failure that is not retried', async () => {
    const { at, work } = failing(100);
    expect(await rejection(retry(work, { signal: never, isRetried: () => false }))).toMatchObject({
      message: 'failure 1',
    });
    expect(at).toHaveLength(1);
  });

  it('pauses as long as the server requests, up to a minute', async () => {
    const { at, work } = failing(2);
    const asked = [7_000, 86_400_000];
    const options = { signal: never, isRetried: () => true, askedPause: () => asked.shift() };
    const result = retry(work, options);
    await vi.runAllTimersAsync();
    await result;
    expect(at).toEqual([0, 7_000, 67_000]);
  });

  it('ends with the reason of an abort, even during a pause', async () => {
    const { at, work } = failing(100);
    const abort = new AbortController();
    const failed = rejection(retry(work, { signal: abort.signal, isRetried: () => true }));
    await vi.advanceTimersByTimeAsync(50);
    const reason = new Error('the time is up');
    abort.abort(reason);
    expect(await failed).toBe(reason);
    expect(at).toHaveLength(1);
  });
});

it('the pause after thousands of failures is still a few seconds', () => {
  expect(pauseAfter(5_000)).toBeGreaterThanOrEqual(2_500);
  expect(pauseAfter(5_000)).toBeLessThanOrEqual(5_000);
});

describe('pause', () => {
  it('ends after its time', async () => {
    const began = performance.now();
    await pause(50, never);
    expect(performance.now() - began).toBeGreaterThan(45);
  });

  it('rejects with the reason of an abort, before and during the pause', async () => {
    const reason = new Error('stop');
    expect(await rejection(pause(60_000, AbortSignal.abort(reason)))).toBe(reason);
    const abort = new AbortController();
    const pausing = pause(60_000, abort.signal);
    abort.abort(reason);
    expect(await rejection(pausing)).toBe(reason);
  });
});
