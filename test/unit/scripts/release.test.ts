import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readReleaseFiles, releaseProblems } from '../../../scripts/release.ts';

const root = resolve(import.meta.dirname, '../../..');
const files = {
  version: '1.2.3',
  proposed: '1.2.3',
  changelog: '# Changelog\n\n## [1.2.3](https://github.com/knest/knest-action/compare/v1.2.2...v1.2.3) (2026-11-27)\n',
  texts: { 'README.md': 'uses: knest/knest-action@v1\n' },
  assets: ['owner/name/v1/one.yaml', 'owner/name/v1/other.yaml'],
  checksums: { 'owner/name/v1/one.yaml': 'aa', 'owner/name/v1/other.yaml': 'bb' },
};

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

  it('requires that release-please proposed it: the manifest has its version, and the changelog a section', () => {
    expect(releaseProblems('v1.2.3', { ...files, proposed: '1.2.2' })).toEqual([
      '.release-please-manifest.json has version 1.2.2, not 1.2.3',
    ]);
    const changelog = '# Changelog\n\n## [1.2.30](https://example.com)\n\n* since 1.2.3\n';
    expect(releaseProblems('v1.2.3', { ...files, changelog })).toEqual(['CHANGELOG.md has no section for 1.2.3']);
    // The first release has nothing to compare with.
    const first = '# Changelog\n\n## 1.2.3 (2026-11-27)\n';
    expect(releaseProblems('v1.2.3', { ...files, changelog: first })).toEqual([]);
  });

  it('requires the checksum of every asset that the action downloads', () => {
    const checksums = { 'owner/name/v1/one.yaml': 'aa', 'owner/name/v2/other.yaml': 'bb' };
    expect(releaseProblems('v1.2.3', { ...files, checksums })).toEqual([
      'src/install/download/checksums.json has no sum for owner/name/v1/other.yaml',
    ]);
  });

  it('compares the default assets with the table in the repository', () => {
    const { assets, checksums } = readReleaseFiles();
    expect(assets.length).toBeGreaterThan(10);
    expect(Object.keys(checksums).filter((asset) => !assets.includes(asset))).toEqual([]);
  });

  it('checks every text that shows how to use the action', () => {
    const { texts } = readReleaseFiles();
    const all = globSync(['*.{md,yml}', 'docs/**/*.{md,yaml,yml}', 'workflows/**/*.{md,yaml,yml}'], { cwd: root });
    const using = all.filter((file) => readFileSync(join(root, file), 'utf8').includes('knest/knest-action@'));
    expect(using).toEqual(expect.arrayContaining(['README.md', 'workflows/pull-request.yml', 'workflows/cleanup.yml']));
    expect(using.filter((file) => !(file in texts))).toEqual([]);
  });
});
