import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countAddresses,
  formatRange,
  parseAddressRange,
  rangesOverlap,
  type AddressRange,
} from '../../../src/values/address-range.ts';

function range(text: string): AddressRange {
  const parsed = parseAddressRange(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed;
}

describe('parseAddressRange', () => {
  it.each([
    ['10.1.2.3', '10.1.2.3', '10.1.2.3'],
    ['10.1.2.10-10.1.2.20', '10.1.2.10', '10.1.2.20'],
    ['10.1.2.10 - 10.1.3.1', '10.1.2.10', '10.1.3.1'],
    ['10.1.2.0/24', '10.1.2.1', '10.1.2.254'],
    ['10.1.2.0/30', '10.1.2.1', '10.1.2.2'],
    ['10.1.2.0/31', '10.1.2.0', '10.1.2.1'],
    ['10.1.2.3/32', '10.1.2.3', '10.1.2.3'],
    ['0.0.0.0/0', '0.0.0.1', '255.255.255.254'],
    ['fd00::1', 'fd00::1', 'fd00::1'],
    ['fd00::1-fd00::ffff', 'fd00::1', 'fd00::ffff'],
    ['fd00::/120', 'fd00::1', 'fd00::ff'],
    ['fd00::/127', 'fd00::', 'fd00::1'],
  ])('parses %s as %s to %s', (text, first, last) => expect(parseAddressRange(text)).toEqual({ first, last }));

  it.each([
    ['', '"" is not an address, range or CIDR; for example 10.1.2.10-10.1.2.20'],
    ['10.1.2', '"10.1.2" is not an address, range or CIDR; for example 10.1.2.10-10.1.2.20'],
    ['10.1.2.010', '"10.1.2.010" is not an address, range or CIDR; for example 10.1.2.10-10.1.2.20'],
    ['10.1.2.256', '"10.1.2.256" is not an address, range or CIDR; for example 10.1.2.10-10.1.2.20'],
    ['10.1.2.1-5', '"10.1.2.1-5" is not an address, range or CIDR; for example 10.1.2.10-10.1.2.20'],
    [
      '1.1.1.1-1.1.1.2-1.1.1.3',
      '"1.1.1.1-1.1.1.2-1.1.1.3" is not an address, range or CIDR; for example 10.1.2.10-10.1.2.20',
    ],
    ['10.1.2.20-10.1.2.10', '"10.1.2.20-10.1.2.10" ends before it begins'],
    ['10.1.2.1-fd00::1', '"10.1.2.1-fd00::1" mixes IPv4 and IPv6'],
    ['10.1.2.1/24', '"10.1.2.1/24" has host bits set; the network is 10.1.2.0/24'],
    ['10.1.2.0/33', '"10.1.2.0/33" is not a CIDR; for example 10.95.0.0/16'],
  ])('refuses %j: %s', (text, problem) => expect(parseAddressRange(text)).toEqual({ problem }));

  it('parses the output of formatRange', () => {
    const number = fc.nat({ max: 2 ** 32 - 1 });
    const address = (value: number): string => [24, 16, 8, 0].map((bits) => (value >>> bits) & 255).join('.');
    fc.assert(
      fc.property(number, number, (one, other) => {
        const given = { first: address(Math.min(one, other)), last: address(Math.max(one, other)) };
        expect(range(formatRange(given))).toEqual(given);
        expect(countAddresses([given])).toBe(Math.abs(one - other) + 1);
      }),
    );
  });
});

describe('countAddresses', () => {
  it('adds up the addresses of all ranges', () => {
    expect(countAddresses([])).toBe(0);
    expect(countAddresses(['10.1.2.0/24', '10.1.3.1', '10.1.4.1-10.1.4.3'].map(range))).toBe(258);
    expect(countAddresses([range('fd00::/64')])).toBe(2 ** 64);
  });
});

describe('rangesOverlap', () => {
  it.each([
    ['10.1.2.1-10.1.2.5', '10.1.2.5', true],
    ['10.1.2.1-10.1.2.5', '10.1.2.6', false],
    ['10.1.2.9', '10.1.2.10', false],
    ['10.1.2.0/24', '10.1.2.100-10.1.3.1', true],
    ['10.1.2.0/24', '10.1.2.255', false],
    ['::a01:201', '10.1.2.1', false],
    ['fd00::1-fd00::9', 'fd00::5', true],
  ])('of %s and %s: %s', (one, other, expected) => {
    expect(rangesOverlap(range(one), range(other))).toBe(expected);
    expect(rangesOverlap(range(other), range(one))).toBe(expected);
  });
});
