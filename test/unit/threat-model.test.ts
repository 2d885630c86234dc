import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const text = readFileSync(new URL('docs/threat-model.md', root), 'utf8');

interface Promised {
  /** The letter of its group and its number in it: O1. */
  readonly id: string;
  /** Tests, by file and title. */
  readonly tests: readonly { readonly file: string; readonly title: string }[];
}

/** The promises of the document, each with the tests listed below it. */
function readPromises(): readonly Promised[] {
  const section = /^## What we promise$(.*?)^## /ms.exec(text)?.[1] ?? '';
  return section.split(/^(?=- )/m).flatMap((item) => {
    const id = /^- \*\*([A-Z]\d+)\. /.exec(item)?.[1];
    const tests = [...item.matchAll(/^ +- `([^`]+)`: (.*)$/gm)].map(([, file = '', title = '']) => ({ file, title }));
    return id === undefined ? [] : [{ id, tests }];
  });
}

const promises = readPromises();

describe('docs/threat-model.md', () => {
  it('numbers the promises of each group without gaps', () => {
    const groups = Map.groupBy(promises, ({ id }) => id.charAt(0));
    expect(groups.size).toBeGreaterThan(5);
    for (const [letter, group] of groups) {
      expect(group.map(({ id }) => id)).toEqual(group.map((_, index) => `${letter}${index + 1}`));
    }
  });

  it('has only numbered promises in its list', () => {
    const section = /^## What we promise$(.*?)^## /ms.exec(text)?.[1] ?? '';
    expect(section.match(/^- /gm)).toHaveLength(promises.length);
  });

  it('refers only to promises that exist', () => {
    const lists = [...text.matchAll(/\(((?:[A-Z]\d+)(?:, [A-Z]\d+)*)\)/g)];
    const named = lists.flatMap(([, list = '']) => list.split(', '));
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => !promises.some(({ id }) => id === name))).toEqual([]);
  });

  it.each(promises)('names tests for promise $id, and each exists', ({ tests }) => {
    expect(tests).not.toEqual([]);
    for (const { file, title } of tests) {
      const path = new URL(file, root);
      expect(existsSync(path), file).toBe(true);
      // The title is between quotes. A table of cases may follow it.
      const source = readFileSync(path, 'utf8');
      expect(source.includes(`'${title}'`) || source.includes(`'${title}: %`), `${file}: ${title}`).toBe(true);
    }
  });
});
