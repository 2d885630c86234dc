import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../../src/host/manifest.ts';

const object = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
const yaml = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;

describe('parseManifest', () => {
  it('gives the objects in their order', () => {
    expect(parseManifest(`${yaml('a')}---\n${yaml('b')}`)).toEqual([object('a'), object('b')]);
  });

  it('leaves out what is empty', () => {
    const text = `# licence\n---\n---\n${yaml('a')}---\n# nothing\n---\nnull\n---\n${yaml('b')}---\n`;
    expect(parseManifest(text)).toEqual([object('a'), object('b')]);
  });

  it.each(['', '\n', '# nothing', '---', '---\n---\n'])('finds none in %j', (text) => {
    expect(parseManifest(text)).toEqual([]);
  });

  it('takes JSON, as kubectl does', () => {
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
});
