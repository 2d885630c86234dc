import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Entry, Image } from './archive.ts';
import { iptablesNames } from './iptables.ts';

/** The paths of programs that are built, by their names. */
export type Programs = ReadonlyMap<string, string>;

/** A program as a file of an image. Throws when it is not built. */
export function program(programs: Programs, name: string, path: string): Entry {
  const file = programs.get(name);
  if (file === undefined) throw new Error(`${name} is not built`);
  return { path, file };
}

/** An image of one program that runs as nobody in particular, as the release manifests want. */
export function manager(programs: Programs, name: string, path: string, ...references: string[]): Image {
  return { references, entrypoint: [path], user: '65532', entries: [program(programs, name, path)] };
}

/** What boots a machine in the hypervisor's place. /usr is the node's, by a policy of the host. */
export function machineEntries(): Entry[] {
  const file = (name: string, path: string, mode = 0o644): Entry => ({
    path,
    mode,
    text: readFileSync(join(import.meta.dirname, 'machine', name), 'utf8'),
  });
  const links = ['bin', 'sbin', 'lib', 'lib64'].map((name) => ({ path: `/${name}`, link: `usr/${name}` }));
  // Debian reaches these by /etc/alternatives, which is not below /usr.
  const alternatives = [
    ...iptablesNames.map((name) => ({
      path: `/etc/alternatives/${name}`,
      link: `/usr/sbin/${name.replace('tables', 'tables-nft')}`,
    })),
    { path: '/etc/alternatives/awk', link: '/usr/bin/mawk' },
  ];
  return [
    ...links,
    ...['/usr', '/var', '/root', '/mnt', '/opt', '/run'].map((path): Entry => ({ path, directory: true })),
    { path: '/var/run', link: '/run' },
    ...alternatives,
    file('boot', '/knest/boot', 0o755),
    file('link-images', '/knest/link-images', 0o755),
    file('systemctl', '/knest/systemctl', 0o755),
    file('virt-init-volume', '/knest/virt-init-volume', 0o755),
    file('cloud-init.py', '/knest/cloud-init.py'),
    file('containerd.toml', '/etc/containerd/config.toml'),
    file('kubelet.yaml', '/etc/kubelet.d/10-machine.conf'),
  ];
}
