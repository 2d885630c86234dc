import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { archive } from '../host/archive.ts';
import { architecture } from '../host/images.ts';
import { helloProgram } from './hello.ts';

/** Runs a command where the registry is reached. */
type Run = (argv: readonly string[]) => Promise<string>;

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/**
 * Makes an image of the test's own server in `directory`, and pushes it as Docker 29 does: as an index of the image for
 * one platform and an attestation. `tag`: with the registry. `content` is in a separate file, which no cache has.
 * Returns the digest of the index.
 */
export async function pushImage(run: Run, directory: string, tag: string, content: Buffer): Promise<string> {
  const file = join(directory, 'content');
  writeFileSync(file, content);
  const entries = [
    { path: '/hello', file: await helloProgram() },
    { path: '/content', file },
  ];
  const tar = join(directory, 'image.tar');
  writeFileSync(tar, archive({ references: ['made:here'], entrypoint: ['/hello'], entries }, architecture));
  const layout = join(directory, 'layout');
  await run(['skopeo', '--insecure-policy', 'copy', `docker-archive:${tar}`, `oci:${layout}:made`]);
  const digest = withIndex(layout);
  const target = `docker://${tag}`;
  const copy = ['skopeo', '--insecure-policy', 'copy', '--all', '--dest-tls-verify=false'];
  await run([...copy, `oci:${layout}:made`, target]);
  return digest;
}

/** Puts an index around the image of a layout. Returns its digest. */
function withIndex(layout: string): string {
  const file = join(layout, 'index.json');
  const top = JSON.parse(readFileSync(file, 'utf8')) as { readonly manifests: readonly Descriptor[] };
  const [image] = top.manifests;
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const { mediaType: type, digest: imageDigest, size } = image ?? { mediaType: '', digest: '', size: 0 };
  const attestation = {
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': imageDigest,
  };
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    manifests: [
      { mediaType: type, digest: imageDigest, size, platform: { os: 'linux', architecture } },
      {
        mediaType: type,
        digest: imageDigest,
        size,
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: attestation,
      },
    ],
  });
  const sum = createHash('sha256').update(index).digest('hex');
  writeFileSync(join(layout, 'blobs/sha256', sum), index);
  const annotations = { 'org.opencontainers.image.ref.name': 'made' };
  const manifests = [{ mediaType, digest: `sha256:${sum}`, size: index.length, annotations }];
  writeFileSync(file, JSON.stringify({ schemaVersion: 2, manifests }));
  return `sha256:${sum}`;
}
