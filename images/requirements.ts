import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Engine } from './arguments.ts';

/** Programs that make an image, and the Debian or Ubuntu packages that have them. */
const PROGRAMS: Readonly<Record<string, string>> = {
  mmdebstrap: 'mmdebstrap',
  mke2fs: 'e2fsprogs',
  unshare: 'util-linux',
  '/usr/share/keyrings/debian-archive-keyring.gpg': 'debian-archive-keyring',
};
/** What gives users without root the IDs that the files of a node belong to. */
const USER_PROGRAMS: Readonly<Record<string, string>> = { newuidmap: 'uidmap' };
const DISK_PROGRAMS: Readonly<Record<string, string>> = {
  'qemu-img': 'qemu-utils',
  'grub-mkimage': 'grub-common',
  '/usr/lib/grub/i386-pc/boot.img': 'grub-pc-bin',
};

function isPresent(program: string): boolean {
  if (program.startsWith('/')) return existsSync(program);
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  return path.split(delimiter).some((directory) => existsSync(join(directory, program)));
}

/** Names the packages that the making of an image needs and that are not installed. */
export function missingPackages(engine: Engine, more: Readonly<Record<string, string>> = {}): string[] {
  const needed = {
    ...PROGRAMS,
    ...(process.getuid?.() !== 0 && USER_PROGRAMS),
    ...(engine === 'kubevirt' && DISK_PROGRAMS),
    ...more,
  };
  const missing = Object.entries(needed).filter(([program]) => !isPresent(program));
  return [...new Set(missing.map(([, name]) => name))];
}
