import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { page, root } from './pages.ts';

const text = page('docs/architecture.md');

describe('docs/architecture.md', () => {
  it('has a line for every folder of src', () => {
    const files = globSync('**/*.ts', { cwd: join(root, 'src') });
    const folders = [...new Set(files.map(dirname))].filter((name) => name !== '.');
    expect(folders.length).toBeGreaterThan(5);
    expect(folders.filter((name) => !text.includes(`| \`src/${name}/\` `))).toEqual([]);
  });

  it('names files that exist', () => {
    const files = [...text.matchAll(/\b(?:src|test|scripts)\/[\w./-]*[\w/]/g)].map(([file]) => file);
    expect(files.length).toBeGreaterThan(30);
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });
});
