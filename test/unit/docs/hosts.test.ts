import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);
const text = readFileSync(new URL('docs/hosts.md', root), 'utf8');
const rows = text.split('\n').filter((line) => line.startsWith('| ') && !/^\| (?:-|Host |Way )/.test(line));

it('docs/hosts.md has a test for every row, and each exists', () => {
  expect(rows.length).toBeGreaterThan(15);
  for (const row of rows) {
    const [, file = '', title = ''] = /\| `(test\/[^`]+)`: (.+?) +\|$/.exec(row) ?? [];
    const path = new URL(file, root);
    expect(file !== '' && existsSync(path), row).toBe(true);
    expect(readFileSync(path, 'utf8').includes(`'${title}'`), row).toBe(true);
  }
});
