import { describe, expect, it } from 'vitest';
import { ManifestError, parseManifest } from '../../../../src/host/api/manifest.ts';

const object = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
const yaml = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;

describe('parseManifest', () => {
  it('returns the objects in their order', () => {
    expect(parseManifest(`${yaml('a')}---\n${yaml('b')}`)).toEqual([object('a'), object('b')]);
  });

  it('ignores empty documents', () => {
    const text = `# licence\n---\n---\n${yaml('a')}---\n# nothing\n---\nnull\n---\n${yaml('b')}---\n`;
    expect(parseManifest(text)).toEqual([object('a'), object('b')]);
  });

  it.each(['', '\n', '# nothing', '---', '---\n---\n'])('returns nothing for %j', (text) => {
    expect(parseManifest(text)).toEqual([]);
  });

  it('accepts JSON, as kubectl does', () => {
    expect(parseManifest(JSON.stringify(object('a')))).toEqual([object('a')]);
  });

  it('keeps a "---" that is part of a text', () => {
    const text = `${yaml('a')}data:\n  cloud-config: |\n    one\n    ---\n    two\n`;
    expect(parseManifest(text)).toEqual([{ ...object('a'), data: { 'cloud-config': 'one\n---\ntwo\n' } }]);
  });

  it('names the line of an error, in any of the documents', () => {
    expect(() => parseManifest(`${yaml('a')}---\nkind: [`)).toThrow(/at line 6/);
    expect(() => parseManifest('kind: A\nkind: B\n')).toThrow(/unique.* at line 2/s);
  });

  it('expands a List, even inside another, as kubectl does', () => {
    const list = (kind: string, ...items: unknown[]) => ({ apiVersion: 'v1', kind, items });
    const text = [list('List', object('a'), list('ConfigMapList', object('b'))), object('c'), list('List')];
    expect(parseManifest(text.map((value) => JSON.stringify(value)).join('\n---\n'))).toEqual(
      ['a', 'b', 'c'].map(object),
    );
  });

  it('does not expand other objects with items', () => {
    const own = { ...object('a'), kind: 'Menu', items: ['x'] };
    expect(parseManifest(JSON.stringify(own))).toEqual([own]);
  });

  it.each([
    ['plain text', 'hello s3cret', 'document 2 is a string, not an object'],
    ['a number', '7', 'document 2 is a number, not an object'],
    ['a list', '- a', 'document 2 is a list, not an object'],
    ['no apiVersion', 'kind: A\nmetadata: { name: a }', 'document 2 (A) has no apiVersion'],
    ['no kind', 'apiVersion: v1\nmetadata: { name: a }', 'document 2 has no kind'],
    ['no metadata', 'apiVersion: v1\nkind: A', 'document 2 (A) has no metadata'],
    ['metadata that is a string', 'apiVersion: v1\nkind: A\nmetadata: s3cret', 'document 2 (A) has no metadata'],
    ['no name', 'apiVersion: v1\nkind: A\nmetadata: {}', 'document 2 (A) has no metadata.name'],
    [
      'a name that is a number',
      'apiVersion: v1\nkind: A\nmetadata: { name: 7 }',
      'document 2 (A) has no metadata.name',
    ],
    [
      'a generateName',
      'apiVersion: v1\nkind: A\nmetadata: { generateName: a- }',
      'document 2 (A) has a generateName; it must have a fixed name',
    ],
    [
      'an item without a name',
      `{ apiVersion: v1, kind: List, items: [${JSON.stringify(object('b'))}, { apiVersion: v1, kind: A }] }`,
      'item 2 of document 2 (A) has no metadata',
    ],
    ['a secret as its kind', 'kind: "s3cret key"\nmetadata: {}', 'document 2 has no apiVersion'],
  ])('refuses %s, with the number of the document', (_what, text, message) => {
    expect(() => parseManifest(`${yaml('a')}---\n${text}\n`)).toThrow(new ManifestError(message));
  });
});
