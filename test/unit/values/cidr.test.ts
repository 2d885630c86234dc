import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstFree, overlaps, parseCidr, type Cidr } from '../../../src/values/cidr.ts';

function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed;
}

/** The first and last address of an IPv4 range as numbers: an independent way to determine overlaps. */
function bounds(address: number, prefixLength: number): readonly [number, number] {
  const size = 2 ** (32 - prefixLength);
  const first = Math.floor(address / size) * size;
  return [first, first + size - 1];
}

const dotted = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');

describe('parseCidr', () => {
  it.each([
    ['10.95.0.0/16', '10.95.0.0/16'],
    ['10.95.4.7/32', '10.95.4.7/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['FD00::/64', 'fd00::/64'],
    ['fd00:0:0::/48', 'fd00::/48'],
  ])('parses %s as %s', (text, canonical) => expect(parseCidr(text)).toMatchObject({ text: canonical }));

  it.each([
    ['10.95.3.0/16', '"10.95.3.0/16" has host bits set; the network is 10.95.0.0/16'],
    ['fd00::1/64', '"fd00::1/64" has host bits set; the network is fd00::/64'],
    ['10.95.0.0', '"10.95.0.0" is not a CIDR; for example 10.95.0.0/16'],
    ['10.95.0.0/33', '"10.95.0.0/33" is not a CIDR; for example 10.95.0.0/16'],
    ['10.256.0.0/16', '"10.256.0.0/16" is not a CIDR; for example 10.95.0.0/16'],
    ['pods', '"pods" is not a CIDR; for example 10.95.0.0/16'],
  ])('refuses %s with a reason', (text, problem) => expect(parseCidr(text)).toEqual({ problem }));
});

describe('overlaps', () => {
  it.each([
    ['10.95.0.0/16', '10.95.7.0/24', true],
    ['10.95.7.0/24', '10.95.0.0/16', true],
    ['10.95.0.0/16', '10.95.0.0/16', true],
    ['10.94.0.0/16', '10.95.0.0/16', false],
    ['0.0.0.0/0', '10.95.0.0/16', true],
    ['0.0.0.0/0', 'fd00::/64', false],
    ['fd00::/48', 'fd00:0:0:7::/64', true],
    ['fd00::/64', 'fd00:0:0:1::/64', false],
  ])('%s and %s: %s', (one, other, shared) => expect(overlaps(cidr(one), cidr(other))).toBe(shared));

  it('agrees with the bounds of any two IPv4 ranges', () => {
    const range = fc.record({ address: fc.nat(2 ** 32 - 1), prefixLength: fc.integer({ min: 0, max: 32 }) });
    const near = range.chain((one) =>
      fc
        .oneof(
          range,
          fc.constantFrom(...[0, 1, 2].map((add) => ({ ...one, prefixLength: Math.min(32, one.prefixLength + add) }))),
        )
        .map((other) => [one, other] as const),
    );
    fc.assert(
      fc.property(near, (pair) => {
        const [[from, to], [otherFrom, otherTo]] = pair.map(({ address, prefixLength }) =>
          bounds(address, prefixLength),
        ) as [readonly [number, number], readonly [number, number]];
        const parsed = pair.map(({ address, prefixLength }) =>
          cidr(`${dotted(bounds(address, prefixLength)[0])}/${prefixLength}`),
        ) as [Cidr, Cidr];
        expect(overlaps(...parsed)).toBe(from <= otherTo && otherFrom <= to);
      }),
    );
  });
});

describe('firstFree', () => {
  it('returns the first candidate that does not overlap a used range', () => {
    const inUse = [cidr('10.95.128.0/17'), cidr('10.96.0.0/12')];
    expect(firstFree(['10.95.0.0/16', '10.97.0.0/16', '10.94.0.0/16', '10.93.0.0/16'], inUse)?.text).toBe(
      '10.94.0.0/16',
    );
  });

  it('is undefined when all are taken', () => {
    expect(firstFree(['10.95.0.0/16'], [cidr('10.0.0.0/8')])).toBeUndefined();
  });
});
