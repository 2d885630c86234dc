import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { architecture } from '../host/images.ts';
import { run } from '../host/process.ts';
import { helloProgram } from './hello.ts';

/** Runs a command where the registry is reached. */
type Run = (argv: readonly string[]) => Promise<string>;

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** The layers beside that of the program. */
const LAYERS = 5;
const OCI = 'application/vnd.oci.image';

/**
 * An image of the test's own server, as Docker 29 makes it: an index of the image for one platform and an attestation. Of
 * its layers, five have contents that no cache has.
 */
export class ImageLayout {
  /** That of the index. */
  readonly digest: string;
  readonly #directory: string;

  private constructor(directory: string, digest: string) {
    this.#directory = directory;
    this.digest = digest;
  }

  /** Makes one in a directory that it makes. `megabytes`: of the five layers together. */
  static async make(directory: string, megabytes: number): Promise<ImageLayout> {
    mkdirSync(join(directory, 'blobs/sha256'), { recursive: true });
    const file = join(directory, 'hello');
    copyFileSync(await helloProgram(), file);
    const layers = [await layer(directory, 'hello')];
    for (let index = 0; index < LAYERS; index++) {
      const name = `content-${index}`;
      writeFileSync(join(directory, name), randomBytes((megabytes / LAYERS) * 1024 * 1024));
      layers.push(await layer(directory, name));
    }
    const platform = { os: 'linux', architecture };
    const config = blob(directory, `${OCI}.config.v1+json`, {
      ...platform,
      config: { Entrypoint: ['/hello'] },
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    });
    const mediaType = `${OCI}.manifest.v1+json`;
    const image = blob(directory, mediaType, { schemaVersion: 2, mediaType, config, layers });
    const annotations = {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': image.digest,
    };
    const indexType = `${OCI}.index.v1+json`;
    const index = blob(directory, indexType, {
      schemaVersion: 2,
      mediaType: indexType,
      manifests: [
        { ...image, platform },
        { ...image, platform: { os: 'unknown', architecture: 'unknown' }, annotations },
      ],
    });
    const named = { ...index, annotations: { 'org.opencontainers.image.ref.name': 'made' } };
    writeFileSync(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
    writeFileSync(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    return new ImageLayout(directory, index.digest);
  }

  /** Pushes it, all layers at once. `tag`: with the registry. */
  async push(runThere: Run, tag: string): Promise<void> {
    const copy = ['skopeo', '--insecure-policy', 'copy', '--all', '--preserve-digests', '--dest-tls-verify=false'];
    await runThere([...copy, `oci:${this.#directory}:made`, `docker://${tag}`]);
  }
}

/** Moves a file into a layer. */
async function layer(directory: string, name: string): Promise<Descriptor> {
  const archive = join(directory, 'layer.tar');
  await run('tar', ['-C', directory, '--remove-files', '-cf', archive, name]);
  const content = readFileSync(archive);
  const descriptor = describe(`${OCI}.layer.v1.tar`, content);
  renameSync(archive, fileOf(directory, descriptor));
  return descriptor;
}

function blob(directory: string, mediaType: string, content: object): Descriptor {
  const text = Buffer.from(JSON.stringify(content));
  const descriptor = describe(mediaType, text);
  writeFileSync(fileOf(directory, descriptor), text);
  return descriptor;
}

function describe(mediaType: string, content: Buffer): Descriptor {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  return { mediaType, digest, size: content.length };
}

function fileOf(directory: string, { digest }: Descriptor): string {
  return join(directory, 'blobs', digest.replace(':', '/'));
}
