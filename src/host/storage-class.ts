import { KnestError } from '../errors.ts';
import { unlessForbidden } from './api/api-error.ts';
import type { KubernetesClient } from './api/client.ts';
import { Kinds } from './api/kinds.ts';

const IS_DEFAULT = 'storageclass.kubernetes.io/is-default-class';

/** Throws KNEST_STORAGE_CLASS when the host, as far as these credentials see it, has no default StorageClass. */
export async function checkDefaultStorageClass(client: KubernetesClient): Promise<void> {
  const classes = await unlessForbidden(client.list(Kinds.storageClass), undefined);
  if (classes === undefined) return;
  if (classes.some(({ metadata }) => metadata.annotations?.[IS_DEFAULT] === 'true')) return;
  const [first] = classes;
  const patch = JSON.stringify({ metadata: { annotations: { [IS_DEFAULT]: 'true' } } });
  throw new KnestError({
    code: 'KNEST_STORAGE_CLASS',
    problem: 'the host has no default StorageClass, which persistent machines need for their disks',
    evidence: classes.map(
      ({ metadata, provisioner = '' }) => `StorageClass ${metadata.name} (${provisioner}) is not the default`,
    ),
    next:
      first === undefined
        ? 'install a storage provisioner on the host, with a StorageClass that is the default'
        : `make one the default, for example: kubectl patch storageclass ${first.metadata.name} -p '${patch}'`,
  });
}
