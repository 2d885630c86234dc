import { KnestError } from '../errors.ts';
import type { KubernetesClient, ResourceAttributes } from './api/client.ts';
import { Kinds } from './api/kinds.ts';
import { ApiError } from './api/api-error.ts';

/** A permission, what it is for, and the file of this repository that grants it. */
export interface Permission extends ResourceAttributes {
  readonly reason: string;
  readonly grantedBy: string;
}

/**
 * Checks permissions by SelfSubjectAccessReview: one request for an administrator, else one for each.
 * Throws KNEST_PERMISSION with all that are missing.
 */
export async function checkPermissions(client: KubernetesClient, permissions: readonly Permission[]): Promise<void> {
  if (await client.isAllowed({ verb: '*', group: '*', resource: '*' })) return;
  const answers = await Promise.all(
    permissions.map(async (permission) => ({ permission, allowed: await client.isAllowed(permission) })),
  );
  const missing = answers.filter(({ allowed }) => !allowed).map(({ permission }) => permission);
  if (missing.length === 0) return;
  const files = [...new Set(missing.map(({ grantedBy }) => grantedBy))];
  throw new KnestError({
    code: 'KNEST_PERMISSION',
    problem: `these credentials lack ${missing.length === 1 ? '1 permission' : `${missing.length} permissions`} on the host`,
    evidence: missing.map(
      ({ verb, resource, group, namespace, reason }) =>
        `${verb} ${resource}${group === '' ? '' : `.${group}`}${namespace === undefined ? '' : ` in ${namespace}`}: ${reason}`,
    ),
    next: `have an administrator bind what ${files.join(' and ')} of knest-action grants to the account of these credentials`,
  });
}

/** What may be forbidden without harm: an answer of 403 or 404 is the fallback. */
export async function unlessForbidden<T>(request: Promise<T>, fallback: T): Promise<T> {
  try {
    return await request;
  } catch (thrown) {
    if (thrown instanceof ApiError && (thrown.status === 403 || thrown.status === 404)) return fallback;
    throw thrown;
  }
}

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
