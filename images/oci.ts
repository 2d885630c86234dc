import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { packFiles } from './pack.ts';

/** A container image of one layer. */
export interface ContainerImage {
  /** Its tag in the archive. */
  readonly tag: string;
  /** The tar archive of its layer, which becomes part of the image. */
  readonly layer: string;
  readonly entrypoint?: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const TYPES = 'application/vnd.oci.image';

/** Returns the SHA-256 sum of a file, which may be larger than memory. */
export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Writes an image as an OCI archive, which skopeo, podman and crane push as it is. Needs no container engine. */
export async function writeOciArchive(image: ContainerImage, file: string): Promise<void> {
  const work = mkdtempSync(join(dirname(file), 'oci-'));
  try {
    const blobs = join(work, 'blobs', 'sha256');
    mkdirSync(blobs, { recursive: true });
    const layer = await addFile(blobs, `${TYPES}.layer.v1.tar`, image.layer);
    const config = addJson(blobs, `${TYPES}.config.v1+json`, {
      architecture: 'amd64',
      os: 'linux',
      config: { ...(image.entrypoint && { Entrypoint: image.entrypoint }), Labels: image.labels },
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
    });
    const mediaType = `${TYPES}.manifest.v1+json`;
    const manifest = addJson(blobs, mediaType, { schemaVersion: 2, mediaType, config, layers: [layer] });
    const annotations = { 'org.opencontainers.image.ref.name': image.tag };
    write(work, 'index.json', { schemaVersion: 2, manifests: [{ ...manifest, annotations }] });
    write(work, 'oci-layout', { imageLayoutVersion: '1.0.0' });
    await packFiles(work, file);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function addFile(blobs: string, mediaType: string, file: string): Promise<Descriptor> {
  const sum = await sha256(file);
  const { size } = statSync(file);
  renameSync(file, join(blobs, sum));
  return { mediaType, digest: `sha256:${sum}`, size };
}

function addJson(blobs: string, mediaType: string, value: unknown): Descriptor {
  const text = Buffer.from(JSON.stringify(value));
  const sum = createHash('sha256').update(text).digest('hex');
  writeFileSync(join(blobs, sum), text);
  return { mediaType, digest: `sha256:${sum}`, size: text.length };
}

function write(directory: string, name: string, value: unknown): void {
  writeFileSync(join(directory, name), JSON.stringify(value));
}
