import { realpathSync } from 'node:fs';
import { HELPER_IMAGE } from '../../src/catalog/addon-releases.ts';
import type { Entry, Image } from './archive.ts';
import { manager, program, type Programs } from './image-entries.ts';
import { libraries } from './iptables.ts';
import { versions } from './modules.ts';

/** The test's own image: a pod that serves its name, and asks other pods for theirs. */
export const helloImage = 'knest-action.test/hello:1';

/** What pods of a nested cluster run: flannel and add-ons, by the names that their manifests have, and something to talk to. */
export function addonImages(programs: Programs, tables: readonly Entry[]): Image[] {
  const copy = program(programs, 'copy', '/usr/local/bin/cp');
  return [
    {
      references: [`ghcr.io/flannel-io/flannel:${versions.flannel}`],
      entrypoint: ['/opt/bin/flanneld'],
      environment: ['PATH=/usr/local/bin:/usr/sbin:/usr/bin'],
      entries: [program(programs, 'flanneld', '/opt/bin/flanneld'), copy, ...tables],
    },
    {
      references: ['ghcr.io/flannel-io/flannel-cni-plugin:v1.6.2-flannel1'],
      entrypoint: ['/flannel'],
      entries: [program(programs, 'flannel', '/flannel'), copy],
    },
    { references: [helloImage], entrypoint: ['/hello'], entries: [program(programs, 'hello', '/hello')] },
    {
      references: [`docker.io/rancher/local-path-provisioner:${versions.localPath}`],
      entrypoint: ['/usr/bin/local-path-provisioner'],
      environment: ['PATH=/usr/bin'],
      entries: [program(programs, 'local-path-provisioner', '/usr/bin/local-path-provisioner')],
    },
    manager(
      programs,
      'metrics-server',
      '/metrics-server',
      `registry.k8s.io/metrics-server/metrics-server:${versions.metricsServer}`,
    ),
    helper(),
  ];
}

/**
 * What a volume of local-path-provisioner is made with: this machine's shell, under the digest that the catalog pins. A
 * containerd that has an image of that name asks no registry for it.
 */
function helper(): Image {
  const files = ['/bin/sh', '/bin/mkdir', '/bin/rm'].map((path) => ({ path, file: realpathSync(path) }));
  const needed = libraries(...files.map(({ file }) => file));
  return {
    references: [HELPER_IMAGE.replace(/:[^:@]*@/, '@')],
    entrypoint: ['/bin/sh'],
    entries: [...files, ...[...new Set(needed)].map((path) => ({ path, file: path }))],
  };
}
