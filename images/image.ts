import { mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../test/host/report.ts';
import type { Engine } from './arguments.ts';
import { writeContainerDisk } from './container-disk.ts';
import { writeContainerRootfs } from './container-rootfs.ts';
import { writeDebian, type Debian } from './debian.ts';
import { asOwner, unpack } from './disk.ts';
import { writeKubernetes, type Kubernetes } from './node.ts';

/** What an image is to be. */
export interface NodeImage {
  readonly engine: Engine;
  /** The version of Kubernetes, with a leading v. */
  readonly version: string;
  /** URL of the repository that the image is made from. */
  readonly source?: string | undefined;
  /** Bytes of the disk, for an engine whose image has one. */
  readonly diskSize: number;
  readonly debian: Debian;
  /** Brings the Kubernetes of the image to a directory. */
  readonly kubernetes: (directory: string) => Promise<Kubernetes>;
  /** The directory for the image. It also holds the work, which needs about 6 GB. */
  readonly output: string;
}

/** The name that the archive of an image has. */
export function archiveName({ engine, version }: Pick<NodeImage, 'engine' | 'version'>): string {
  return `node-${engine}-${version}.tar`;
}

/** Makes a node image. Returns the path of its OCI archive. */
export async function makeImage(image: NodeImage, report: Report): Promise<string> {
  const { engine, version, output } = image;
  mkdirSync(output, { recursive: true });
  const work = mkdtempSync(join(output, 'work-'));
  const [debian, kubernetes, root] = [join(work, 'debian.tar'), join(work, 'kubernetes.tar'), join(work, 'root')];
  const file = join(output, archiveName(image));
  try {
    await report.step('Kubernetes', async (say) => {
      const parts = await image.kubernetes(work);
      await writeKubernetes(parts, kubernetes);
      say(`${version}, ${parts.archives.length} images`);
    });
    await report.step('Debian', async (say) => {
      await writeDebian(image.debian, debian);
      say(megabytes(debian));
    });
    await report.step('Image', async (say) => {
      await unpack([debian, kubernetes], root);
      const labels = {
        'org.opencontainers.image.title': `Kubernetes ${version} node for ${engine}`,
        'org.opencontainers.image.version': version,
        ...(image.source !== undefined && { 'org.opencontainers.image.source': image.source }),
      };
      if (engine === 'kubevirt') await writeContainerDisk(root, image.diskSize, version, labels, file);
      else await writeContainerRootfs(root, version, labels, file);
      say(megabytes(file));
    });
    return file;
  } finally {
    // Its files belong to other IDs than this user's.
    await asOwner(`rm -rf '${work}'`);
  }
}

function megabytes(file: string): string {
  return `${Math.round(statSync(file).size / 1e6)} MB`;
}
