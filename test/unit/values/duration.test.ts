import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/values/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['90s', 90],
    ['20m', 1200],
    ['4h', 14_400],
    ['2d', 172_800],
    ['1h30m', 5400],
    ['365d', 31_536_000],
  ])('parses %s as %d seconds', (text, seconds) => expect(parseDuration(text)).toBe(seconds));

  it.each(['', '0s', '20', 'm', '-5m', '1.5h', '20 m', '1h 30m', 'x20m', '20mx', '20M', '366d'])(
    'refuses "%s"',
    (text) => expect(parseDuration(text)).toBeUndefined(),
  );
});

describe('formatDuration', () => {
  it.each([
    [45, '45s'],
    [60, '1m'],
    [5400, '1h30m'],
    [3661, '1h1m1s'],
    [172_800, '48h'],
    [0.4, '0s'],
    [59.6, '1m'],
  ])('formats %d seconds as %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it('can be parsed back to the same number of seconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 31_536_000 }), (seconds) => {
        expect(parseDuration(formatDuration(seconds))).toBe(seconds);
      }),
    );
  });
});
