import { describe, expect, it } from 'vitest';
import { parseBytes, suggestQuantity } from '../../../src/values/quantity.ts';

describe('parseBytes', () => {
  it.each([
    ['1024', 1024],
    ['4Gi', 4 * 2 ** 30],
    ['4G', 4e9],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['512Mi', 512 * 2 ** 20],
    ['8k', 8000],
    ['8Ki', 8192],
    ['1Ti', 2 ** 40],
  ])('parses %s as %d bytes', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  it.each(['', '4GB', '4gi', '4 Gi', '-4Gi', 'Gi', '4K', '.5Gi', '4e9', '400m'])('refuses "%s"', (text) =>
    expect(parseBytes(text)).toBeUndefined(),
  );
});

describe('suggestQuantity', () => {
  it.each([
    ['4GB', '"4Gi" or "4G"'],
    ['4gb', '"4Gi" or "4G"'],
    ['4 G', '"4Gi" or "4G"'],
    ['512mib', '"512Mi"'],
    ['8KB', '"8Ki" or "8k"'],
    ['1.5gi', '"1.5Gi"'],
  ])('suggests for %s: %s', (text, suggestion) => expect(suggestQuantity(text)).toBe(suggestion));

  it.each(['lots', '4', '4EB', 'GB'])('suggests nothing for "%s"', (text) =>
    expect(suggestQuantity(text)).toBeUndefined(),
  );

  it.each(['4GB', '512mib', '8KB', '2 tb'])('suggests only valid quantities for %s', (text) => {
    const suggestions = [...(suggestQuantity(text) ?? '').matchAll(/"([^"]+)"/g)].map(
      ([, suggestion]) => suggestion ?? '',
    );
    expect(suggestions.length).toBeGreaterThan(0);
    for (const suggestion of suggestions) expect(parseBytes(suggestion)).toBeDefined();
  });
});
