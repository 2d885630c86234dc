import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A file of an image: a program from disk, a text, a directory or a link. Paths are absolute in the image. */
export type Entry =
  | { path: string; file: string }
  | { path: string; text: string; mode?: number }
  | { path: string; directory: true; mode?: number }
  | { path: string; link: string };

/** A container image of one layer. */
export interface Image {
  /** Its names, with registry and tag. */
  references: string[];
  entrypoint: string[];
  environment?: string[];
  /** Numeric, since runAsNonRoot cannot judge a name. Empty: root. */
  user?: string;
  entries: Entry[];
}

const block = 512;

function padded(data: Buffer): Buffer[] {
  return [data, Buffer.alloc((block - (data.length % block)) % block)];
}

/** One member of a ustar archive. `type`: 0 file, 2 symbolic link, 5 directory. */
function member(name: string, mode: number, type: 0 | 2 | 5, data = Buffer.alloc(0), link = ''): Buffer[] {
  if (name.length > 100 || link.length > 100) throw new Error(`the name is too long for an archive: ${name}`);
  const header = Buffer.alloc(block);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  header.write(name, 0);
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108); // owner and group: root
  header.write(octal(0, 7), 116);
  header.write(octal(data.length, 11), 124);
  header.write(octal(0, 11), 136); // no time, so that the same content is the same archive
  header.write(' '.repeat(8), 148); // the checksum counts itself as blanks
  header.write(String(type), 156);
  header.write(link, 157);
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, ...padded(data)];
}

function layerMember(entry: Entry): Buffer[] {
  const name = entry.path.slice(1);
  if ('file' in entry) return member(name, 0o755, 0, readFileSync(entry.file));
  if ('text' in entry) return member(name, entry.mode ?? 0o644, 0, Buffer.from(entry.text));
  if ('link' in entry) return member(name, 0o777, 2, undefined, entry.link);
  return member(`${name}/`, entry.mode ?? 0o755, 5);
}

const end = Buffer.alloc(2 * block);
const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

/**
 * Returns an image as a docker-archive, which containerd imports. The layer is not compressed: it is read once, from
 * the machine's own disk.
 */
export function archive(image: Image, architecture: string): Buffer {
  const ground: Entry[] = [
    { path: '/tmp', directory: true, mode: 0o1777 },
    { path: '/etc', directory: true },
    { path: '/etc/passwd', text: 'root:x:0:0:root:/root:/bin/sh\nnonroot:x:65532:65532:nonroot:/:/bin/sh\n' },
    { path: '/etc/group', text: 'root:x:0:\nnonroot:x:65532:\n' },
  ];
  const layer = Buffer.concat([...[...ground, ...image.entries].flatMap(layerMember), end]);
  const layerDigest = sha256(layer);
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      config: {
        User: image.user ?? '',
        Entrypoint: image.entrypoint,
        Env: image.environment ?? ['PATH=/usr/local/bin:/usr/bin:/bin:/'],
        WorkingDir: '/',
      },
      rootfs: { type: 'layers', diff_ids: [`sha256:${layerDigest}`] },
      history: [{ created_by: 'test/host' }],
    }),
  );
  const [configName, layerName] = [`${sha256(config)}.json`, `${layerDigest}/layer.tar`];
  const manifest = JSON.stringify([{ Config: configName, RepoTags: image.references, Layers: [layerName] }]);
  return Buffer.concat([
    ...member(configName, 0o644, 0, config),
    ...member(layerName, 0o644, 0, layer),
    ...member('manifest.json', 0o644, 0, Buffer.from(manifest)),
    end,
  ]);
}
