import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { tool } from '../test/host/binaries.ts';
import { run, succeeds } from '../test/host/process.ts';
import { lineReport } from '../test/host/report.ts';
import { build } from './build.ts';
import { staleDocuments } from './docs.ts';
import type { Outcome, Part } from './parts.ts';
import { findZizmor } from './zizmor.ts';

const root = resolve(import.meta.dirname, '..');
// The tools are scripts for `node`, which in node_modules/.bin is the right one.
const env = { ...process.env, PATH: join(root, 'node_modules/.bin') + delimiter + (process.env['PATH'] ?? '') };

/** All that is checked without running the action; the slowest first, since two run side by side. */
export const checks: readonly Part[] = [
  { name: 'dist', run: dist },
  command('eslint', 'eslint', '.', '--max-warnings=0'),
  command('tsc', 'tsc', '--noEmit'),
  command('prettier', 'prettier', '--check', '.', '--log-level=warn'),
  { name: 'docs', run: docs },
  { name: 'actionlint', run: actionlint },
  { name: 'zizmor', run: zizmor },
];

function command(name: string, program: string, ...args: string[]): Part {
  return {
    name,
    run: async () => {
      await run(program, args, { cwd: root, env });
      return { kind: 'passed' };
    },
  };
}

/** Builds the sources beside dist/, and compares the two. */
async function dist(): Promise<Outcome> {
  mkdirSync(join(root, 'build'), { recursive: true });
  // In the checkout, so that every path from the sources to it has the same length as the paths to dist/.
  const fresh = mkdtempSync(join(root, 'build', 'dist-'));
  try {
    await build(fresh, { cache: false });
    const differences = compare(fresh, join(root, 'dist'));
    if (differences.length === 0) return { kind: 'passed' };
    const output = ['dist/ is not what src/ gives; run npm run build and commit it:', ...differences];
    return { kind: 'failed', output: output.join('\n') };
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** A line for each file that only one of two directories has, or that differs. */
function compare(fresh: string, committed: string): string[] {
  const files = (directory: string): string[] =>
    globSync('**/*', { cwd: directory }).filter((file) => statSync(join(directory, file)).isFile());
  const names = [...new Set([...files(fresh), ...files(committed)])].sort();
  return names.flatMap((name) => {
    if (!existsSync(join(committed, name))) return [`  dist/${name} is missing`];
    if (!existsSync(join(fresh, name))) return [`  dist/${name} is left over`];
    const same = readFileSync(join(fresh, name)).equals(readFileSync(join(committed, name)));
    return same ? [] : [`  dist/${name} differs`];
  });
}

async function docs(): Promise<Outcome> {
  const stale = await staleDocuments();
  return stale.length === 0
    ? { kind: 'passed' }
    : { kind: 'failed', output: `not what action.yml and src give; run npm run docs: ${stale.join(', ')}` };
}

async function actionlint(): Promise<Outcome> {
  if (!(await succeeds('go', ['version']))) return { kind: 'skipped', reason: 'Go, which builds it, is not on PATH' };
  const program = await tool('actionlint', lineReport());
  const files = workflows();
  // Without the linters for shell and Python that it would take from PATH: the outcome must not depend on the machine.
  await run(program, ['-shellcheck=', '-pyflakes=', '-no-color', ...files], { cwd: root });
  return { kind: 'passed', detail: `${files.length} workflows` };
}

async function zizmor(): Promise<Outcome> {
  const found = await findZizmor();
  if ('missing' in found) return { kind: 'skipped', reason: found.missing };
  const files = [...workflows(), 'action.yml'];
  // Offline: what it would ask GitHub needs a token, and changes without a change here.
  const options = ['--offline', '--no-progress', '--persona=pedantic', '--config=.github/zizmor.yml'];
  await run(found.program, [...options, ...files], { cwd: root });
  return { kind: 'passed', detail: `${files.length} files` };
}

/** The project's own workflows, and those that it offers. */
function workflows(): string[] {
  return globSync(['.github/workflows/*.yml', 'workflows/*.yml'], { cwd: root }).sort();
}
