import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readReleaseFiles, releaseProblems } from '../../../scripts/release.ts';

const root = resolve(import.meta.dirname, '../../..');
const files = { version: '1.2.3', texts: { 'README.md': 'uses: knest/knest-action@v1\n' } };

describe('a release', () => {
  it('has the version of the package, and the examples use its major version', () => {
    expect(releaseProblems('v1.2.3', files)).toEqual([]);
  });

  it.each(['1.2.3', 'v1.2', 'v1.2.3-rc.1', 'main', ''])('is not created from the tag "%s"', (tag) => {
    expect(releaseProblems(tag, files)).toEqual([`${tag} is not a tag for a release; for example v1.2.3`]);
  });

  it('requires its version in the package, and its major version in the examples', () => {
    expect(releaseProblems('v2.0.0', files)).toEqual([
      'package.json has version 1.2.3, not that of v2.0.0',
      'README.md uses @v1, not @v2',
    ]);
  });

  it('checks every text that shows how to use the action', () => {
    const { texts } = readReleaseFiles();
    const all = globSync(['*.{md,yml}', 'docs/**/*.{md,yaml,yml}', 'workflows/**/*.{md,yaml,yml}'], { cwd: root });
    const using = all.filter((file) => readFileSync(join(root, file), 'utf8').includes('knest/knest-action@'));
    expect(using).toEqual(expect.arrayContaining(['README.md', 'workflows/pull-request.yml', 'workflows/cleanup.yml']));
    expect(using.filter((file) => !(file in texts))).toEqual([]);
  });
});
