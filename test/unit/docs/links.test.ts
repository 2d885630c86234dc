import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { page, pages, root } from './pages.ts';

/** A document without what is in fences and between backticks. */
function prose(file: string): string {
  return page(file)
    .replace(/^ *```[^]*?^ *```/gm, '')
    .replace(/(`+)[^`]+\1(?!\])/g, (code) => code.replace(/[[\]()]/g, ''));
}

/** The anchors of the headings, as GitHub makes them. */
function anchors(file: string): readonly string[] {
  const counts = new Map<string, number>();
  return [...prose(file).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => {
    const anchor = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    const count = counts.get(anchor) ?? 0;
    counts.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

/** The targets of the links that are not on the web. */
function links(file: string): readonly string[] {
  const all = [...prose(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return all.filter((target) => !/^[a-z]+:/.test(target));
}

/** Why a link leads nowhere, or undefined when it works. */
function problemOf(file: string, link: string): string | undefined {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? file : normalize(join(dirname(file), path));
  if (target.startsWith('..') || !existsSync(join(root, target))) return `${link}: ${target} does not exist`;
  if (anchor === undefined) return undefined;
  const isPage = target.endsWith('.md') && statSync(join(root, target)).isFile();
  return isPage && anchors(target).includes(anchor) ? undefined : `${link}: ${target} has no heading #${anchor}`;
}

describe('links between documents', () => {
  it.each(pages)('in %s lead to existing targets', (file) => {
    expect(links(file).flatMap((link) => problemOf(file, link) ?? [])).toEqual([]);
  });

  it('are found in the documents', () => {
    expect(pages.flatMap(links).length).toBeGreaterThan(50);
    expect(problemOf('README.md', 'docs/nowhere.md')).toContain('does not exist');
    expect(problemOf('README.md', 'docs/errors.md#knest_input')).toBeUndefined();
    expect(problemOf('README.md', 'docs/errors.md#nothing')).toContain('has no heading');
  });

  it('lead from the README to every recipe', () => {
    const recipes = pages.filter((file) => file.startsWith('docs/recipes/'));
    expect(recipes.length).toBeGreaterThan(5);
    expect(recipes.filter((file) => !links('README.md').includes(file))).toEqual([]);
  });
});
