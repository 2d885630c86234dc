import { execFileSync } from 'node:child_process';
import { globSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Entry } from './archive.ts';

/** The names iptables is called by. */
export const iptablesNames = ['iptables', 'ip6tables'].flatMap((name) => [name, `${name}-save`, `${name}-restore`]);

/** The shared libraries that programs are linked with, where this machine has them. */
export function libraries(...programs: string[]): string[] {
  const lines = execFileSync('ldd', programs, { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

/** This machine's iptables, for nftables, with all it needs to run in an image that has nothing else. */
export function iptables(): Entry[] {
  const program = realpathSync('/usr/sbin/iptables-nft');
  const needed = libraries(program);
  const extensions = needed.filter((file) => file.includes('/libxtables')).map((file) => dirname(realpathSync(file)));
  const plugins = extensions.flatMap((directory) => globSync(join(directory, 'xtables', '*.so')));
  // A plugin may want more than the program does: "statistic", by which kube-proxy chooses a pod, wants libm.
  const files = new Set([program, ...needed, ...libraries(...plugins), ...plugins.sort()]);
  return [
    ...[...files].map((file) => ({ path: file, file })),
    ...iptablesNames.map((name) => ({
      path: `/usr/local/bin/${name}`,
      link: join(dirname(program), name.replace('tables', 'tables-nft')),
    })),
    ...iptablesNames.map((name) => ({
      path: join(dirname(program), name.replace('tables', 'tables-nft')),
      link: program,
    })),
  ];
}
