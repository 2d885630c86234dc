import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { asOwner } from './disk.ts';
import { writeOciArchive } from './oci.ts';

/** The shell of the root file system, run with its libraries: the image has no other programs. */
const SHELL = ['lib64/ld-linux-x86-64.so.2', 'lib/x86_64-linux-gnu', 'bin/sh'].map((path) => `/rootfs/usr/${path}`);

/**
 * Writes a containerRootfs for Virtink: an image with the files of `root` in /rootfs, which writes them to a file system
 * when it is run with the path and the size of the volume. Virtink brings the kernel.
 */
export async function writeContainerRootfs(
  root: string,
  tag: string,
  labels: Readonly<Record<string, string>>,
  file: string,
): Promise<void> {
  const work = mkdtempSync(join(dirname(file), 'container-rootfs-'));
  try {
    copyFileSync(join(import.meta.dirname, 'write-volume'), join(work, 'write-volume'));
    chmodSync(join(work, 'write-volume'), 0o755);
    const layer = join(work, 'layer.tar');
    const create = `tar --create --sort=name --numeric-owner --file='${layer}'`;
    // The files of a node keep their owners.
    await asOwner(
      `${create} --owner=0 --group=0 --directory='${work}' write-volume
       tar --append --numeric-owner --file='${layer}' --transform='flags=rh;s,^\\./,rootfs/,' --directory='${root}' .`,
    );
    const [loader = '', libraries = '', shell = ''] = SHELL;
    const entrypoint = [loader, '--library-path', libraries, shell, '/write-volume'];
    await writeOciArchive({ tag, layer, entrypoint, labels }, file);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
