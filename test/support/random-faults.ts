import { createHash } from 'node:crypto';
import { pass, type Fate, type Judge, type PassingRequest } from './fault-proxy.ts';

/** A number from 0 up to 1 that is the same for the same text: chance that can be repeated. */
export function chance(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;
}

/** What can go wrong with a request, the one as likely as the other. */
const faults: readonly ((size: number) => Fate)[] = [
  () => ({ kind: 'cut', where: 'request' }),
  () => ({ kind: 'cut', where: 'answer' }),
  () => ({ kind: 'cut', where: 'middle' }),
  (size) => ({ kind: 'pass', delayMilliseconds: Math.round(5_000 * size) }),
  (size) => ({ kind: 'refuse', status: 429, retryAfterSeconds: Math.round(2 * size) }),
  () => ({ kind: 'refuse', status: 500 }),
];

/**
 * Faults at random, the same for the same seed: what becomes of a request hangs on what it is and how often it was made
 * before, not on when. `rate`: of how many requests, from 0 to 1; asked each time, so that it may change.
 */
export function randomFaults(seed: string, rate: () => number): Judge {
  return {
    decide({ what, earlier }: PassingRequest) {
      const draw = (purpose: string): number => chance([seed, purpose, what, earlier].join(' '));
      if (draw('whether') >= rate()) return pass;
      return faults[Math.floor(draw('which') * faults.length)]?.(draw('size')) ?? pass;
    },
  };
}
