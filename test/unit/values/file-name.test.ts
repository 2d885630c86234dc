import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileNames } from '../../../src/values/file-name.ts';

describe('fileNames', () => {
  it.each([
    ['console-vm-pr-cp-x.log', 'console-vm-pr-cp-x.log'],
    ['console-../../../x.log', 'console-.._.._.._x.log'],
    ['../x', '__x'],
    ['..', '_'],
    ['', '_'],
    ['a\\b\u0000c:d', 'a_b_c_d'],
  ])('turns %j into %j', (text, name) => expect(fileNames([text])).toEqual([name]));

  it('gives each text a separate file', () => {
    expect(fileNames(['a.log', 'a.log', 'A.log', 'a/log', 'a_log'])).toEqual([
      'a.log',
      'a-2.log',
      'A-3.log',
      'a_log',
      'a_log-2',
    ]);
  });

  it('stays in the directory, short and distinct, for any texts', () => {
    const hostile = fc.string({ unit: fc.constantFrom('.', '/', '\\', 'a', 'B', '\u0000', '\u202e', '~', '-', '%2e') });
    fc.assert(
      fc.property(fc.array(hostile), (texts) => {
        const names = fileNames(texts);
        for (const name of names) expect(resolve('/d', name)).toMatch(/^\/d\/[^/]{1,255}$/);
        expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(texts.length);
      }),
    );
    expect(fileNames(['x'.repeat(1000)])[0]?.length).toBeLessThan(256);
  });
});
