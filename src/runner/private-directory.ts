import { chmodSync, lstatSync, mkdirSync, mkdtempSync, type Stats } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KnestError, messageOf } from '../errors.ts';

/** A directory that only this user can read and change. */
export interface PrivateDirectory {
  readonly path: string;
  /** Why it is not `knest` in RUNNER_TEMP, for people; undefined when it is. */
  readonly reason: string | undefined;
}

/**
 * The directory for everything that other users of the runner must neither read nor replace: credentials, and programs
 * before they run. Usually `knest` in RUNNER_TEMP, which later steps share. Without RUNNER_TEMP, or where something that
 * others may have filled has that name, a new directory. `remembered` is what an earlier process of this step used.
 * Throws KNEST_RUNNER when no directory can be made.
 */
export function privateDirectory(env: NodeJS.ProcessEnv, remembered: string | undefined): PrivateDirectory {
  if (remembered !== undefined && flawOf(remembered) === undefined) return { path: remembered, reason: undefined };
  const temp = env['RUNNER_TEMP'] ?? '';
  try {
    return temp === '' ? fresh(tmpdir(), 'RUNNER_TEMP is not set') : within(temp);
  } catch (thrown) {
    throw new KnestError({
      code: 'KNEST_RUNNER',
      problem: `cannot create a directory for private files: ${messageOf(thrown)}`,
      next: 'set RUNNER_TEMP to a directory that this user can write to, and check that its disk is not full',
      cause: thrown,
    });
  }
}

function within(temp: string): PrivateDirectory {
  mkdirSync(temp, { recursive: true });
  const path = join(temp, 'knest');
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')) throw thrown;
  }
  const flaw = flawOf(path);
  if (flaw !== undefined) return fresh(temp, `${path} ${flaw}`);
  // Others may have been allowed to read it.
  chmodSync(path, 0o700);
  return { path, reason: undefined };
}

/** A directory with a new name: no other user can have put anything there. */
function fresh(parent: string, reason: string): PrivateDirectory {
  return { path: mkdtempSync(join(parent, 'knest-')), reason };
}

/** Why others may have put things into a directory; undefined when they cannot have. */
function flawOf(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 'does not exist';
  if (stats.isSymbolicLink()) return 'is a symbolic link';
  if (!stats.isDirectory()) return 'is not a directory';
  return ownershipFlawOf(stats);
}

function ownershipFlawOf({ uid, mode }: Stats): string | undefined {
  const own = process.getuid?.();
  if (own === undefined) return undefined; // Windows, where access is not a matter of modes
  if (uid !== own) return `belongs to user ${uid}`;
  return (mode & 0o022) === 0 ? undefined : `can be changed by others (mode ${(mode & 0o7777).toString(8)})`;
}
