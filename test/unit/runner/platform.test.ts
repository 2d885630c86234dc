import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkPlatform } from '../../../src/runner/platform.ts';
import { readAction } from '../../../scripts/docs.ts';

describe('checkPlatform', () => {
  it.each([
    ['linux', 'x64'],
    ['linux', 'arm64'],
    ['darwin', 'x64'],
    ['darwin', 'arm64'],
  ])('accepts %s on %s', (platform, architecture) => {
    expect(() => checkPlatform(platform, architecture)).not.toThrow();
  });

  it.each([
    ['win32', 'x64', 'Windows (x64)'],
    ['win32', 'arm64', 'Windows (arm64)'],
    ['linux', 'arm', 'linux (arm)'],
    ['freebsd', 'x64', 'freebsd (x64)'],
  ])('refuses %s on %s', (platform, architecture, name) => {
    expect(() => checkPlatform(platform, architecture)).toThrow(
      expect.objectContaining({
        code: 'KNEST_RUNNER',
        problem: `this action does not run on ${name}, only on Linux and macOS, x64 and arm64`,
        next: 'run the job on another runner, for example runs-on: ubuntu-latest',
      }),
    );
  });

  it('matches README.md, which names the first runner with the Node version of action.yml', () => {
    const root = resolve(import.meta.dirname, '../../..');
    expect(readAction().runs.using).toBe('node24');
    const readme = readFileSync(resolve(root, 'README.md'), 'utf8').replace(/\s+/g, ' ');
    expect(readme).toMatch(/Linux or macOS, x64 or arm64, .{1,50} Node 24, .{1,50} version 2\.327\.1 .{1,10} Windows/);
  });
});
