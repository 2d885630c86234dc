import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeOciArchive } from '../../../images/oci.ts';
import { packFiles } from '../../../images/pack.ts';

let work: string;

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'knest-oci-'));
  mkdirSync(join(work, 'files'));
  writeFileSync(join(work, 'files/disk'), 'a disk', { mode: 0o664 });
});

afterEach(() => rmSync(work, { recursive: true }));

interface Descriptor {
  readonly digest: string;
  readonly size: number;
}

function unpacked(archive: string): (descriptor: Descriptor | undefined) => Buffer {
  const directory = mkdtempSync(join(work, 'unpacked-'));
  execFileSync('tar', ['--extract', `--file=${archive}`, `--directory=${directory}`]);
  return (descriptor) => {
    const path = descriptor ? join('blobs/sha256', descriptor.digest.slice('sha256:'.length)) : 'index.json';
    const data = readFileSync(join(directory, path));
    if (descriptor) {
      expect(descriptor.digest).toBe(`sha256:${createHash('sha256').update(data).digest('hex')}`);
      expect(descriptor.size).toBe(data.length);
    }
    return data;
  };
}

it('packs the same files into the same archive, with one owner', async () => {
  const [one, other] = [join(work, 'one.tar'), join(work, 'other.tar')];
  await packFiles(join(work, 'files'), one, 107);
  writeFileSync(join(work, 'files/disk'), 'a disk');
  await packFiles(join(work, 'files'), other, 107);
  expect(readFileSync(one).equals(readFileSync(other))).toBe(true);
  const list = execFileSync('tar', ['--list', '--verbose', '--numeric-owner', `--file=${one}`], { encoding: 'utf8' });
  expect(list).toMatch(/^-rw-r--r-- 107\/107 .* \.\/disk$/m);
});

it('writes an image of one layer, which its digests lead to', async () => {
  const [layer, file] = [join(work, 'layer.tar'), join(work, 'image.tar')];
  await packFiles(join(work, 'files'), layer);
  const content = readFileSync(layer);
  await writeOciArchive({ tag: 'v1.34.1', layer, entrypoint: ['/run'], labels: { title: 'a node' } }, file);
  const read = unpacked(file);
  const { manifests } = JSON.parse(read(undefined).toString()) as {
    readonly manifests: readonly (Descriptor & { readonly annotations: unknown })[];
  };
  expect(manifests.map(({ annotations }) => annotations)).toEqual([{ 'org.opencontainers.image.ref.name': 'v1.34.1' }]);
  const manifest = JSON.parse(read(manifests[0]).toString()) as { config: Descriptor; layers: Descriptor[] };
  expect(manifest.layers).toHaveLength(1);
  expect(read(manifest.layers[0]).equals(content)).toBe(true);
  expect(JSON.parse(read(manifest.config).toString())).toEqual({
    architecture: 'amd64',
    os: 'linux',
    config: { Entrypoint: ['/run'], Labels: { title: 'a node' } },
    rootfs: { type: 'layers', diff_ids: [manifest.layers[0]?.digest] },
  });
});
