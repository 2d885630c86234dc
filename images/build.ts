import { isDeepStrictEqual } from 'node:util';
import { lineReport } from '../test/host/report.ts';
import { HELP, readArguments } from './arguments.ts';
import { snapshot, snapshotTime } from './debian.ts';
import { downloadKubernetes } from './downloads.ts';
import { makeImage } from './image.ts';
import { completeVersions, lockedVersion, readLock, writeLock } from './lock.ts';
import type { Kubernetes } from './node.ts';
import { newestVersions, recordVersion } from './record.ts';
import { missingPackages } from './requirements.ts';

const report = lineReport();

/** Records the sums of one version, or of the newest patch of each minor version in place of those in the lock. */
async function record(version: string | undefined): Promise<void> {
  const lock = readLock();
  const kubernetes = version === undefined ? {} : { ...lock.kubernetes };
  for (const name of version === undefined ? await newestVersions() : [version]) {
    kubernetes[name] = await report.step(name, () => recordVersion(name));
  }
  // Debian moves on with Kubernetes: on its own it would change the lock every day.
  const isNew = !isDeepStrictEqual(kubernetes, lock.kubernetes);
  writeLock({ debian: isNew ? snapshotTime(new Date()) : lock.debian, kubernetes });
}

async function main(args: readonly string[]): Promise<void> {
  const request = readArguments(args);
  switch (request.kind) {
    case 'help':
      process.stdout.write(HELP);
      return;
    case 'list':
      process.stdout.write(`${JSON.stringify(completeVersions(readLock()))}\n`);
      return;
    case 'record':
      await record(request.version);
      return;
    case 'build': {
      const lock = readLock();
      const locked = lockedVersion(lock, request.version);
      const missing = missingPackages(request.engine, { skopeo: 'skopeo' });
      if (missing.length > 0) throw new Error(`packages are missing: apt-get install ${missing.join(' ')}`);
      const kubernetes = (directory: string): Promise<Kubernetes> =>
        downloadKubernetes(request.version, locked, directory);
      const file = await makeImage({ ...request, debian: snapshot(lock.debian), kubernetes }, report);
      process.stdout.write(`${file}\n`);
    }
  }
}

try {
  await main(process.argv.slice(2));
} catch (thrown) {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 1;
}
