import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { KnestError } from '../../../src/errors.ts';
import { privateDirectory } from '../../../src/runner/private-directory.ts';

let temp: string;
beforeEach(() => (temp = mkdtempSync(join(tmpdir(), 'knest-directory-'))));
afterEach(() => rmSync(temp, { recursive: true }));

function modeOf(path: string): string {
  return (lstatSync(path).mode & 0o777).toString(8);
}

describe('the private directory', () => {
  it('is knest in RUNNER_TEMP, accessible only to its owner, and the same in later steps', () => {
    const env = { RUNNER_TEMP: temp };
    const made = privateDirectory(env, undefined);
    expect(made).toEqual({ path: join(temp, 'knest'), reason: undefined });
    expect(modeOf(made.path)).toBe('700');
    writeFileSync(join(made.path, 'file'), '');
    expect(privateDirectory(env, undefined)).toEqual(made);
    expect(lstatSync(join(made.path, 'file')).isFile()).toBe(true);
  });

  it('loses the permissions of others who could read it', () => {
    mkdirSync(join(temp, 'knest'), { mode: 0o755 });
    expect(modeOf(privateDirectory({ RUNNER_TEMP: temp }, undefined).path)).toBe('700');
  });

  it.each<[string, (path: string) => void, string]>([
    [
      'a directory that others can write to',
      (path) => {
        mkdirSync(path);
        chmodSync(path, 0o777);
      },
      'can be changed by others (mode 777)',
    ],
    ['a link', (path) => symlinkSync(mkdtempSync(join(temp, 'elsewhere-')), path), 'is a symbolic link'],
    ['a link to nothing', (path) => symlinkSync(join(temp, 'nowhere'), path), 'is a symbolic link'],
    ['a file', (path) => writeFileSync(path, ''), 'is not a directory'],
  ])('is a new one when its name is taken: %s', (_what, take, reason) => {
    const taken = join(temp, 'knest');
    take(taken);
    const before = lstatSync(taken);
    const made = privateDirectory({ RUNNER_TEMP: temp }, undefined);
    expect(made.path).not.toBe(taken);
    expect(dirname(made.path)).toBe(temp);
    expect(made.reason).toBe(`${taken} ${reason}`);
    expect(lstatSync(made.path).isDirectory()).toBe(true);
    expect(modeOf(made.path)).toBe('700');
    expect(lstatSync(taken).mode).toBe(before.mode);
  });

  // Only root can give a directory to another user.
  it.runIf(process.getuid?.() === 0)('is a new one when another user has created that directory', () => {
    const taken = join(temp, 'knest');
    mkdirSync(taken, { mode: 0o700 });
    chownSync(taken, 12_345, 12_345);
    const made = privateDirectory({ RUNNER_TEMP: temp }, undefined);
    expect(made.path).not.toBe(taken);
    expect(made.reason).toBe(`${taken} belongs to user 12345`);
  });

  it.each([{}, { RUNNER_TEMP: '' }])('is a new one each time without RUNNER_TEMP: %o', (env) => {
    const paths = [1, 2].map(() => {
      const { path, reason } = privateDirectory(env, undefined);
      onTestFinished(() => rmSync(path, { recursive: true }));
      expect(reason).toBe('RUNNER_TEMP is not set');
      expect(modeOf(path)).toBe('700');
      return path;
    });
    expect(new Set(paths).size).toBe(2);
  });

  it('is the one of main in the post step, unless it was replaced', () => {
    const main = join(temp, 'knest-x');
    mkdirSync(main, { mode: 0o700 });
    expect(privateDirectory({ RUNNER_TEMP: temp }, main)).toEqual({ path: main, reason: undefined });
    chmodSync(main, 0o777);
    expect(privateDirectory({ RUNNER_TEMP: temp }, main).path).toBe(join(temp, 'knest'));
    expect(privateDirectory({ RUNNER_TEMP: temp }, join(temp, 'gone')).path).toBe(join(temp, 'knest'));
  });

  it('is an error with advice when none can be created', () => {
    const file = join(temp, 'file');
    writeFileSync(file, '');
    try {
      privateDirectory({ RUNNER_TEMP: file }, undefined);
      expect.unreachable();
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(KnestError);
      expect(thrown).toMatchObject({ code: 'KNEST_RUNNER', next: expect.stringContaining('RUNNER_TEMP') as string });
    }
  });
});
