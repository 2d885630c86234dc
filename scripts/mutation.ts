import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const directory = join(root, 'test/mutation');

/** Runs a program in the foreground, and ends this one with its exit code unless that is 0. */
function run(program: string, args: readonly string[], cwd: string): void {
  const { status, error } = spawnSync(program, args, { cwd, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** Installs Stryker when it is missing or outdated. Nothing else needs it, and it would slow down every npm ci. */
function install(): void {
  const lock = join(directory, 'package-lock.json');
  const stamp = join(directory, 'node_modules/.installed-package-lock.json');
  if (existsSync(stamp) && readFileSync(stamp).equals(readFileSync(lock))) return;
  run('npm', ['ci', '--no-audit', '--no-fund'], directory);
  cpSync(lock, stamp);
}

install();
const stryker = join(directory, 'node_modules/@stryker-mutator/core/bin/stryker.js');
run(process.execPath, [stryker, 'run', join(directory, 'stryker.config.json'), ...process.argv.slice(2)], root);
