import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../test/host/process.ts';
import { packFiles } from './pack.ts';

/** Where the packages of a node come from. */
export interface Debian {
  readonly archive: string;
  readonly security: string;
}

/** Debian as it was at a time, such as `20261101T000000Z`: the same packages whenever an image is made. */
export function snapshot(time: string): Debian {
  const base = 'https://snapshot.debian.org/archive';
  return { archive: `${base}/debian/${time}`, security: `${base}/debian-security/${time}` };
}

/** The name of the snapshot of the night before a time. */
export function snapshotTime(time: Date): string {
  return `${time.toISOString().slice(0, 10).replaceAll('-', '')}T000000Z`;
}

/** Debian as it is now. */
export const current: Debian = {
  archive: 'http://deb.debian.org/debian',
  security: 'http://deb.debian.org/debian-security',
};

const PACKAGES = [
  ...['linux-image-cloud-amd64', 'initramfs-tools', 'zstd'],
  ...['systemd-sysv', 'systemd-resolved', 'systemd-timesyncd', 'dbus', 'udev', 'libnss-myhostname'],
  ...['cloud-init', 'cloud-guest-utils', 'openssh-server', 'sudo', 'ca-certificates'],
  ...['containerd', 'runc', 'containernetworking-plugins'],
  ...['conntrack', 'ethtool', 'iproute2', 'iptables', 'kmod', 'mount', 'nftables', 'procps', 'socat'],
];

/** What nobody reads on a node. */
const EXCLUDED = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'];
const ENABLED = [
  ...['containerd', 'import-images', 'kubelet', 'ssh', 'systemd-networkd', 'systemd-resolved', 'systemd-timesyncd'],
];
const MASKED = ['apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer', 'e2scrub_all.timer'];

function sources({ archive, security }: Debian): string {
  return [
    `deb ${archive} trixie main`,
    `deb ${archive} trixie-updates main`,
    `deb ${security} trixie-security main`,
    `deb ${archive} forky main`,
    '',
  ].join('\n');
}

/**
 * Writes the root file system of every node, without Kubernetes, to a tar archive: Debian's packages, and the files of
 * rootfs/. mmdebstrap needs neither root nor a mount for it.
 */
export async function writeDebian(debian: Debian, file: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'node-debian-'));
  const files = join(work, 'files.tar');
  try {
    await packFiles(join(import.meta.dirname, 'rootfs'), files);
    const hooks = [
      `--setup-hook=tar-in ${files} /`,
      `--customize-hook=tar-in ${files} /`,
      `--customize-hook=chroot "$1" systemctl --quiet enable ${ENABLED.join(' ')}`,
      `--customize-hook=chroot "$1" systemctl --quiet mask ${MASKED.join(' ')}`,
      // Caches are up to date: systemd would make them again on the first boot.
      '--customize-hook=touch "$1/etc/.updated" "$1/var/.updated"',
      // Each machine makes its own.
      '--customize-hook=rm -f "$1"/etc/ssh/ssh_host_* "$1/etc/hostname" "$1"/etc/.resolv.conf.* && : >"$1/etc/machine-id"',
    ];
    const options = [
      ...[
        '--quiet',
        `--mode=${process.getuid?.() === 0 ? 'root' : 'unshare'}`,
        '--format=tar',
        '--variant=minbase',
        `--include=${PACKAGES.join(',')}`,
      ],
      // A snapshot is older than its lists say they may be.
      '--aptopt=Acquire::Check-Valid-Until "false"',
      ...EXCLUDED.map((path) => `--dpkgopt=path-exclude=${path}`),
    ];
    await run('mmdebstrap', [...options, ...hooks, 'trixie', file, '-'], { input: sources(debian) });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
