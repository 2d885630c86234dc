import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeDisk } from './disk.ts';
import { writeOciArchive } from './oci.ts';
import { packFiles } from './pack.ts';

/** Whom KubeVirt reads disks as. */
const QEMU = 107;

/** Where the disk is in a containerDisk. */
export const DISK_PATH = 'disk/node.qcow2';

/** Writes a containerDisk for KubeVirt: an image that has nothing but a disk, which boots from `root`. */
export async function writeContainerDisk(
  root: string,
  diskSize: number,
  tag: string,
  labels: Readonly<Record<string, string>>,
  file: string,
): Promise<void> {
  const work = mkdtempSync(join(dirname(file), 'container-disk-'));
  try {
    const content = join(work, 'content');
    mkdirSync(join(content, dirname(DISK_PATH)), { recursive: true });
    await writeDisk(root, diskSize, join(content, DISK_PATH));
    const layer = join(work, 'layer.tar');
    await packFiles(content, layer, QEMU);
    rmSync(content, { recursive: true });
    await writeOciArchive({ tag, layer, labels }, file);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
