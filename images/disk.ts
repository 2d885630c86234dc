import { closeSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../test/host/process.ts';

/** The label of the file system, which rootfs/etc/fstab and the boot loader know it by. */
const LABEL = 'node-root';
const SECTOR = 512;
/** Where the only partition begins: what is before it belongs to the boot loader. */
const PARTITION_START = 1024 ** 2;
/** Bytes of the first sector that are code, and where its table of partitions is. */
const BOOT_CODE = 440;
const PARTITION_TABLE = 446;
const GRUB = '/usr/lib/grub/i386-pc';
const GRUB_MODULES = ['biosdisk', 'part_msdos', 'ext2', 'normal', 'linux', 'serial', 'terminal', 'boot'];

/** Runs a shell script as the root that owns the files of a node: this user with its sub-IDs, or root itself. */
export async function asOwner(script: string): Promise<void> {
  const command = ['sh', '-euc', script];
  if (process.getuid?.() === 0) await run(command[0] ?? '', command.slice(1));
  else await run('unshare', ['--user', '--map-root-user', '--map-auto', '--mount', ...command]);
}

/** Unpacks archives of a root file system, one over another, into a directory that `asOwner` can read and remove. */
export async function unpack(archives: readonly string[], directory: string): Promise<void> {
  // A file system in a user's namespace has no devices, and a node makes its own.
  const extract = archives.map(
    (archive) => `tar --extract --preserve-permissions --numeric-owner --exclude='./dev/*' --file '${archive}'`,
  );
  await asOwner(`mkdir -p '${directory}'; cd '${directory}'; ${extract.join('; ')}`);
}

/** Writes a disk that BIOS boots, of `size` bytes, with the files of a directory as its root file system, as qcow2. */
export async function writeDisk(root: string, size: number, file: string): Promise<void> {
  const raw = `${file}.raw`;
  try {
    await writeFileSystem(root, size, raw);
    await writeBootLoader(size, raw);
    await run('qemu-img', ['convert', '-c', '-o', 'compression_type=zstd', '-O', 'qcow2', raw, file]);
  } finally {
    rmSync(raw, { force: true });
  }
}

async function writeFileSystem(root: string, size: number, file: string): Promise<void> {
  closeSync(openSync(file, 'w'));
  truncateSync(file, size);
  // GRUB and older kernels do not know what newer versions of mke2fs turn on.
  const options = `-q -F -t ext4 -L ${LABEL} -O ^metadata_csum_seed,^orphan_file -E offset=${PARTITION_START}`;
  await asOwner(
    `PATH=$PATH:/sbin:/usr/sbin mke2fs ${options} -d '${root}' '${file}' ${(size - PARTITION_START) / 1024}k`,
  );
}

/**
 * The first sector of a disk of `size` bytes: boot code, and a table with one bootable partition for Linux from
 * PARTITION_START to the end.
 */
export function masterBootRecord(code: Buffer, size: number): Buffer {
  const sector = Buffer.alloc(SECTOR);
  code.copy(sector, 0, 0, BOOT_CODE);
  // Cylinders and heads are too small for any disk of today: these say that only the sectors count.
  const entry = Buffer.from([0x80, 0xfe, 0xff, 0xff, 0x83, 0xfe, 0xff, 0xff]);
  entry.copy(sector, PARTITION_TABLE);
  sector.writeUInt32LE(PARTITION_START / SECTOR, PARTITION_TABLE + 8);
  sector.writeUInt32LE((size - PARTITION_START) / SECTOR, PARTITION_TABLE + 12);
  sector.writeUInt16LE(0xaa55, SECTOR - 2);
  return sector;
}

/** Puts GRUB before the partition. grub-install needs a device and root for it: this is what it writes. */
async function writeBootLoader(size: number, file: string): Promise<void> {
  const core = `${file}.core`;
  const disk = openSync(file, 'r+');
  try {
    const options = ['--format=i386-pc', `--directory=${GRUB}`, `--output=${core}`, '--prefix=(hd0,msdos1)/boot/grub'];
    await run('grub-mkimage', [...options, ...GRUB_MODULES]);
    if (statSync(core).size > PARTITION_START - SECTOR) throw new Error('GRUB does not fit before the partition');
    writeSync(disk, masterBootRecord(readFileSync(join(GRUB, 'boot.img')), size), 0, SECTOR, 0);
    writeSync(disk, readFileSync(core), 0, undefined, SECTOR);
  } finally {
    closeSync(disk);
    rmSync(core, { force: true });
  }
}
