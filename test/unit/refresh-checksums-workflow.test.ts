import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';

interface Workflow {
  readonly jobs: Readonly<
    Record<string, { readonly steps: readonly { readonly name?: string; readonly run?: string }[] }>
  >;
}

const workflow = parse(
  readFileSync(new URL('../../.github/workflows/refresh-checksums.yml', import.meta.url), 'utf8'),
) as Workflow;
const script = workflow.jobs['push']?.steps.find(({ run = '' }) => run.includes('git apply'))?.run ?? '';

/** Runs the step of the workflow on a repository, with an artifact that makes these changes. */
function take(change: (write: (file: string, text: string) => void, repository: string) => void): {
  readonly status: number | null;
  readonly log: string;
} {
  const directory = mkdtempSync(join(tmpdir(), 'checksums-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const repository = join(directory, 'repository');
  mkdirSync(repository);
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: repository, encoding: 'utf8' });
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(repository, file)), { recursive: true });
    writeFileSync(join(repository, file), text);
  };
  git('init', '--quiet');
  for (const file of ['src/install/download/checksums.json', 'dist/index.js', 'action.yml']) write(file, 'before\n');
  git('add', '.');
  git('commit', '--quiet', '--message=before');
  change(write, repository);
  git('add', '--all');
  mkdirSync(join(directory, 'artifact'));
  writeFileSync(join(directory, 'artifact/checksums.patch'), git('diff', '--cached', '--binary'));
  git('reset', '--quiet', '--hard');
  // As GitHub runs a step without `shell`.
  const env = { ...process.env, RUNNER_TEMP: directory };
  const { status, stdout, stderr } = spawnSync('bash', ['-e', '-c', script], {
    cwd: repository,
    env,
    encoding: 'utf8',
  });
  return { status, log: stdout + stderr };
}

describe('the job of refresh-checksums.yml with write permission', () => {
  it('accepts the checksums and the bundle of the artifact', () => {
    const { status, log } = take((write) => {
      write('src/install/download/checksums.json', 'after\n');
      write('images/lock.json', 'after\n');
      write('dist/index.js', 'after\n');
      write('dist/licenses/new.txt', 'new\n');
    });
    expect(status, log).toBe(0);
  });

  it.each([
    ['changes another file', '.github/workflows/ci.yml'],
    ['changes another file of node images', 'images/record.ts'],
    ['creates a file in the root', 'package.json'],
    ['creates a file whose name begins in the same way', 'dist2/index.js'],
    ['creates a file whose path ends in the same way', 'x/src/install/download/checksums.json'],
  ])('refuses an artifact that %s', (_what, file) => {
    const { status, log } = take((write) => {
      write('src/install/download/checksums.json', 'after\n');
      write(file, 'after\n');
    });
    expect(status).toBe(1);
    expect(log).toContain('::error::The artifact changes files other than');
  });

  it('refuses an artifact that deletes or renames another file', () => {
    const remove = take((_write, repository) => rmSync(join(repository, 'action.yml')));
    expect(remove.status).toBe(1);
    const rename = take((write, repository) => {
      rmSync(join(repository, 'action.yml'));
      write('dist/action.yml', 'before\n');
    });
    expect(rename.status).toBe(1);
  });

  it('refuses an artifact with a symbolic link', () => {
    const { status } = take((_write, repository) => symlinkSync('/etc/passwd', join(repository, 'dist/link')));
    expect(status).toBe(1);
  });
});
