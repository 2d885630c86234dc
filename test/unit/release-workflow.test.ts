import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';

interface Workflow {
  readonly jobs: Readonly<
    Record<string, { readonly steps: readonly { readonly name?: string; readonly run?: string }[] }>
  >;
}

const { jobs } = parse(
  readFileSync(new URL('../../.github/workflows/release.yml', import.meta.url), 'utf8'),
) as Workflow;

/** Runs a step of the workflow in a directory with these files and, as `gh`, this script. Returns the directory. */
function runStep(
  job: string,
  name: string,
  files: Readonly<Record<string, string>>,
  options: { readonly gh?: string; readonly tag?: string } = {},
): { readonly status: number | null; readonly read: (file: string) => string } {
  const directory = mkdtempSync(join(tmpdir(), 'release-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const [file, text] of Object.entries({ ...files, gh: `#!/bin/sh\n${options.gh ?? 'exit 1'}\n` }))
    writeFileSync(join(directory, file), text);
  chmodSync(join(directory, 'gh'), 0o755);
  const script = jobs[job]?.steps.find((step) => step.name === name)?.run ?? '';
  const env = {
    ...process.env,
    PATH: directory + delimiter + (process.env['PATH'] ?? ''),
    GITHUB_REPOSITORY: 'knest/knest-action',
    GITHUB_OUTPUT: join(directory, 'output'),
    RUNNER_TEMP: directory,
    TAG: options.tag ?? '',
  };
  // As GitHub runs a step without `shell`.
  const { status } = spawnSync('bash', ['-e', '-c', script], { cwd: directory, env });
  const read = (file: string): string =>
    existsSync(join(directory, file)) ? readFileSync(join(directory, file), 'utf8') : '';
  return { status, read };
}

describe('the version that release.yml releases', () => {
  const find = (version: string, gh?: string): string => {
    const manifest = { '.release-please-manifest.json': JSON.stringify({ '.': version }) };
    const { status, read } = runStep('version', 'Find the version that has no tag', manifest, gh ? { gh } : {});
    expect(status).toBe(0);
    return read('output');
  };

  it('is the one of release-please, when it has no tag', () => {
    expect(find('1.2.3', '[ "$2" = repos/knest/knest-action/git/ref/tags/v1.2.3 ]')).toBe('tag=\n');
    expect(find('1.2.3', '[ "$2" = repos/knest/knest-action/git/ref/tags/v1.2.2 ]')).toBe('tag=v1.2.3\n');
  });

  it('is none before release-please has proposed one', () => {
    expect(find('0.0.0')).toBe('tag=\n');
  });
});

describe('the notes of a release', () => {
  const first = '## 1.0.0 (2026-11-27)\n\n\n### Features\n\n* create clusters\n';
  const next =
    '## [1.0.1](https://github.com/knest/knest-action/compare/v1.0.0...v1.0.1) (2026-12-01)\n\n\n### Fixes\n\n* since 1.0.0\n';
  const notes = (tag: string): ReturnType<typeof runStep> =>
    runStep(
      'release',
      'Take the notes of this version from CHANGELOG.md',
      { 'CHANGELOG.md': `# Changelog\n\n${next}\n${first}` },
      { tag },
    );

  it('are the section of its version', () => {
    expect(notes('v1.0.1').read('notes.md')).toBe(`${next}\n`);
    expect(notes('v1.0.0').read('notes.md')).toBe(first);
  });

  it('must exist', () => {
    expect(notes('v1.0.2').status).not.toBe(0);
  });
});
