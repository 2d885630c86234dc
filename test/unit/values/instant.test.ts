import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInstant } from '../../../src/values/instant.ts';

describe('parseInstant', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01T02:00:01.5+02:00', 1500],
    ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
  ])('parses %s', (text, milliseconds) => expect(parseInstant(text)).toBe(milliseconds));

  it.each([
    '',
    '1',
    'tomorrow',
    '4h',
    '2026-11-24',
    '2026-11-24T12:00:00',
    '2026-11-24 12:00:00Z',
    ' 2026-11-24T12:00:00Z',
    '2026-11-24T12:00:00Z\n',
    '2026-13-01T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2027-02-29T00:00:00Z',
    '2026-11-24T25:00:00Z',
  ])('refuses %j', (text) => expect(parseInstant(text)).toBeUndefined());

  it('parses any time in ISO format', () => {
    const times = fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true });
    fc.assert(fc.property(times, (time) => parseInstant(time.toISOString()) === time.getTime()));
  });
});
