import { run } from '../test/host/process.ts';

/**
 * Writes a directory to a tar archive that is the same whenever it is written: without times, and with one owner (root
 * by default).
 */
export async function packFiles(directory: string, file: string, owner = 0): Promise<void> {
  const ids = [`--owner=${owner}`, `--group=${owner}`, '--numeric-owner', '--mode=go=u-w'];
  await run('tar', [
    '--create',
    '--sort=name',
    '--mtime=@0',
    ...ids,
    `--file=${file}`,
    `--directory=${directory}`,
    '.',
  ]);
}
