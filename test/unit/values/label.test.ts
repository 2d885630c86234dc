import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLabelValue, labelValue } from '../../../src/values/label.ts';

describe('labelValue', () => {
  it.each([
    ['github.com', 'github.com'],
    ['acme/shop', 'acme.shop'],
    ['-a b_', 'a.b'],
    ['', ''],
    ['///', ''],
  ])('turns %j into %j', (text, value) => expect(labelValue(text)).toBe(value));

  it('is a valid label value or empty for any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        const value = labelValue(text);
        expect(value === '' || isLabelValue(value), value).toBe(true);
      }),
    );
  });

  it('distinguishes two long texts', () => {
    const long = 'acme/'.padEnd(80, 'x');
    expect(labelValue(`${long}1`)).not.toBe(labelValue(`${long}2`));
    expect(labelValue(`${long}1`)).toHaveLength(63);
  });
});

describe('isLabelValue', () => {
  it.each(['', 'a b', '.a', 'a-', 'ä', 'x'.repeat(64), 'a\n'])('refuses %j', (text) =>
    expect(isLabelValue(text)).toBe(false),
  );
  it.each(['a', '1296269', 'github.com', 'x'.repeat(63)])('accepts %j', (text) =>
    expect(isLabelValue(text)).toBe(true),
  );
});
