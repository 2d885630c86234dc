import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory, key, once } from '../test/host/binaries.ts';
import { CommandError, run, succeeds, tail } from '../test/host/process.ts';

/** Pins the version and the SHA-256 of each wheel, which holds the program itself. */
const requirements = join(import.meta.dirname, 'zizmor.txt');
const pip = ['-m', 'pip', '--disable-pip-version-check', '--no-input'];

/** Where zizmor is, or why it is not to be had on this machine. */
export type Zizmor = { readonly program: string } | { readonly missing: string };

/**
 * Finds zizmor in the cache, or has pip put it there. Throws CommandError when a wheel is not the one that is pinned:
 * that does not depend on this machine.
 */
export async function findZizmor(): Promise<Zizmor> {
  const directory = join(
    cacheDirectory,
    'binaries',
    `zizmor-${key(readFileSync(requirements), process.platform, process.arch)}`,
  );
  const program = join(directory, 'bin', 'zizmor');
  if (existsSync(program)) return { program };
  if (!(await succeeds('python3', [...pip, '--version']))) return { missing: 'pip, which installs it, is not there' };
  try {
    await once(directory, async (temporary) => {
      const checked = ['--require-hashes', '--only-binary=:all:', '--no-deps'];
      await run('python3', [
        ...pip,
        'install',
        '--quiet',
        ...checked,
        '--target',
        temporary,
        '--requirement',
        requirements,
      ]);
    });
  } catch (thrown) {
    if (!(thrown instanceof CommandError) || thrown.output.includes('DO NOT MATCH THE HASHES')) throw thrown;
    return { missing: tail(thrown.output, 1) };
  }
  return { program };
}
