import { chmodSync, createWriteStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { run } from '../test/host/process.ts';
import type { LockedVersion } from './lock.ts';
import { NODE_PROGRAMS, pauseImage, type Kubernetes } from './node.ts';
import { sha256 } from './oci.ts';

const RELEASES = 'https://dl.k8s.io/release';
/** skopeo has no policy file on a machine that has never run a container; digests are verified all the same. */
const SKOPEO = ['--insecure-policy', '--override-os=linux', '--override-arch=amd64'];

/** The address of a program of a release. */
export function programUrl(version: string, name: string): string {
  return `${RELEASES}/${version}/bin/linux/amd64/${name}`;
}

async function fetchOk(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return response;
}

/** Downloads a small text. */
export async function downloadText(url: string): Promise<string> {
  return (await (await fetchOk(url)).text()).trim();
}

/** Downloads a file. Throws, and leaves none, unless it has the expected SHA-256 sum. */
export async function download(url: string, sum: string, file: string): Promise<void> {
  const { body } = await fetchOk(url);
  if (body === null) throw new Error(`${url}: no content`);
  await pipeline(Readable.fromWeb(body), createWriteStream(file));
  const actual = await sha256(file);
  if (actual === sum) return;
  rmSync(file);
  throw new Error(`${url} has the SHA-256 sum ${actual}; expected ${sum}`);
}

/** Downloads a program of a release to a directory. Returns its path. */
export async function downloadProgram(version: string, name: string, sum: string, directory: string): Promise<string> {
  const file = join(directory, name);
  await download(programUrl(version, name), sum, file);
  chmodSync(file, 0o755);
  return file;
}

/** The digest that a registry has for an image. */
export async function imageDigest(image: string): Promise<string> {
  return (await run('skopeo', [...SKOPEO, 'inspect', '--format={{.Digest}}', `docker://${image}`])).trim();
}

/** Downloads an image by its digest, as an archive with its name. */
async function downloadImage(image: string, digest: string, directory: string): Promise<string> {
  const repository = image.replace(/:[^:/]+$/, '');
  const file = join(directory, `${image.replace(/[^\w.-]/g, '_')}.tar`);
  await run('skopeo', [
    ...SKOPEO,
    'copy',
    '--quiet',
    `docker://${repository}@${digest}`,
    `docker-archive:${file}:${image}`,
  ]);
  return file;
}

/** Downloads the Kubernetes of a node to a directory, each file verified by the lock. */
export async function downloadKubernetes(
  version: string,
  locked: LockedVersion,
  directory: string,
): Promise<Kubernetes> {
  const programs = new Map<string, string>();
  for (const name of NODE_PROGRAMS) {
    programs.set(name, await downloadProgram(version, name, locked.programs[name] ?? '', directory));
  }
  const archives: string[] = [];
  for (const [image, digest] of Object.entries(locked.images)) {
    archives.push(await downloadImage(image, digest, directory));
  }
  return { programs, archives, pause: pauseImage(Object.keys(locked.images)) };
}
