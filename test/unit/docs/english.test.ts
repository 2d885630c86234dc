import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
/** Everything that people read, but titles of tests, which some pages name. */
const READ = ['src/**/*.{ts,yaml}', 'scripts/*.ts', 'docs/**/*.{md,yaml}', 'workflows/*', '*.md', 'action.yml'];
/** Turns that hide who does something, or that nobody says. */
const UNUSUAL =
  /\b(?:whoever|whence|(?:is|are|was|were|be) told|(?:is|are) said|of (?:its|their|his|one.s) own|has gone (?:so|by)|a moment after)\b|(?:\b(?:it|that|which|what|this)|["`}]) is no (?!longer\b|more\b|less\b)[a-z]\w*/gi;

it('the turns are recognised', () => {
  expect('"x" is no number; it is no longer there, whoever asks'.match(UNUSUAL)).toEqual(['" is no number', 'whoever']);
});

it('texts are in plain English', () => {
  const files = READ.flatMap((pattern) => globSync(pattern, { cwd: root }));
  const found = files.flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, index) => {
        const turns = /^\s+- `test\//.test(line) ? [] : (line.match(UNUSUAL) ?? []);
        return turns.map((turn) => `${file}:${index + 1} ${turn}`);
      }),
  );
  expect(found).toEqual([]);
  expect(files.length).toBeGreaterThan(200);
});
