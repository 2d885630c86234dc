import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../test/host/process.ts';
import { downloadProgram, downloadText, imageDigest, programUrl } from './downloads.ts';
import { MINORS, type LockedVersion } from './lock.ts';
import { NODE_PROGRAMS } from './node.ts';

/** The newest patch of each minor version that node images are made of. */
export async function newestVersions(): Promise<string[]> {
  return Promise.all(MINORS.map((minor) => downloadText(`https://dl.k8s.io/release/stable-${minor}.txt`)));
}

/**
 * Asks what the downloads of a version are today: the release publishes the sums of its programs beside them, its
 * kubeadm names the images, and their registry has the digests.
 */
export async function recordVersion(version: string): Promise<LockedVersion> {
  const programs: Record<string, string> = {};
  for (const name of NODE_PROGRAMS) programs[name] = await downloadText(`${programUrl(version, name)}.sha256`);
  const images: Record<string, string> = {};
  for (const image of await imagesOf(version, programs['kubeadm'] ?? '')) images[image] = await imageDigest(image);
  return { programs, images };
}

async function imagesOf(version: string, sum: string): Promise<string[]> {
  const work = mkdtempSync(join(tmpdir(), 'node-kubeadm-'));
  try {
    const kubeadm = await downloadProgram(version, 'kubeadm', sum, work);
    const list = await run(kubeadm, ['config', 'images', 'list', `--kubernetes-version=${version}`]);
    return list.trim().split('\n');
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
