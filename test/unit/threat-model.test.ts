import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const text = readFileSync(new URL('docs/threat-model.md', root), 'utf8');

interface Promised {
  readonly number: number;
  /** Tests, by file and title. */
  readonly tests: readonly { readonly file: string; readonly title: string }[];
}

/** The promises of the document, each with the tests listed below it. */
function readPromises(): readonly Promised[] {
  const section = /^## What we promise$(.*?)^## /ms.exec(text)?.[1] ?? '';
  return section.split(/^(?=\d+\. )/m).flatMap((item) => {
    const number = /^(\d+)\. /.exec(item)?.[1];
    const tests = [...item.matchAll(/^ +- `([^`]+)`: (.*)$/gm)].map(([, file = '', title = '']) => ({ file, title }));
    return number === undefined ? [] : [{ number: Number(number), tests }];
  });
}

const promises = readPromises();

describe('docs/threat-model.md', () => {
  it('numbers its promises without a gap', () => {
    expect(promises.map(({ number }) => number)).toEqual(promises.map((_, index) => index + 1));
    expect(promises.length).toBeGreaterThan(10);
  });

  it('names promises in its text that there are', () => {
    const named = [...text.matchAll(/\(promises? ([\d, and]+)\)/g)].flatMap(
      ([, list = '']) => list.match(/\d+/g) ?? [],
    );
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((number) => Number(number) > promises.length)).toEqual([]);
  });

  it.each(promises)('names tests for promise $number, and each is there', ({ tests }) => {
    expect(tests).not.toEqual([]);
    for (const { file, title } of tests) {
      const path = new URL(file, root);
      expect(existsSync(path), file).toBe(true);
      // Between quotes, whole but for what a table of cases puts behind it.
      const source = readFileSync(path, 'utf8');
      expect(source.includes(`'${title}'`) || source.includes(`'${title}: %`), `${file}: ${title}`).toBe(true);
    }
  });
});
