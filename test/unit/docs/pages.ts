import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../../..');

/** The documents for people, as paths from the root. */
export const pages: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'images/README.md',
  ...globSync('docs/**/*.md', { cwd: root }).sort(),
];

/** The text of a document. */
export function page(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** What stands in the fenced blocks of a language. */
export function fenced(file: string, language: string): readonly string[] {
  return [...page(file).matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].flatMap(([, tag, text = '']) =>
    tag === language ? [text] : [],
  );
}
