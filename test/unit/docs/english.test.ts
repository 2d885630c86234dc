import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
/** Everything that people read. Of a test, they read the titles. */
const READ = [
  'src/**/*.{ts,yaml}',
  'scripts/*.ts',
  'images/*.{ts,md}',
  'docs/**/*.{md,yaml}',
  'workflows/*',
  '*.md',
  'action.yml',
];
const TESTS = 'test/**/*.test.ts';
/** The beginning of a line that has the title of a test: of one alone, of a group, or below a table. */
const TITLE = /^\s*(?:(?:it|test|describe)(?:\.\w+)*\(['"`]|\]\)\(\s*['"`]|['"`][^'"`]*['"`],$)/;
/** Phrases that hide who does something, or that are not idiomatic. */
const UNUSUAL =
  /\b(?:whoever|whence|(?:is|are|was|were|be) told|(?:is|are) said|of (?:its|their|his|one.s) own|has gone (?:so|by)|a moment after)\b|(?:\b(?:it|that|which|what|this)|["`}]) is no (?!longer\b|more\b|less\b)[a-z]\w*/gi;

it('recognises unusual phrases', () => {
  expect('"x" is no number; it is no longer there, whoever asks'.match(UNUSUAL)).toEqual(['" is no number', 'whoever']);
});

it('finds none in the texts of the repository', () => {
  const tests = globSync(TESTS, { cwd: root });
  // CHANGELOG.md repeats the subjects of commits.
  const read = READ.flatMap((pattern) => globSync(pattern, { cwd: root, exclude: ['CHANGELOG.md'] }));
  const files = [...read, ...tests];
  const found = files.flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, index) => {
        const isRead = !tests.includes(file) || TITLE.test(line);
        return isRead ? (line.match(UNUSUAL) ?? []).map((turn) => `${file}:${index + 1} ${turn}`) : [];
      }),
  );
  expect(found).toEqual([]);
  expect(files.length).toBeGreaterThan(200);
});
