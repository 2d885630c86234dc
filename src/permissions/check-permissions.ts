import { KnestError } from '../errors.ts';
import type { KubernetesClient, ResourceAttributes } from '../host/api/client.ts';

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
  const missing = await missingPermissions(client, permissions);
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

async function missingPermissions(
  client: KubernetesClient,
  permissions: readonly Permission[],
): Promise<readonly Permission[]> {
  if (await client.isAllowed({ verb: '*', group: '*', resource: '*' })) return [];
  const answers = await Promise.all(
    permissions.map(async (permission) => ({ permission, allowed: await client.isAllowed(permission) })),
  );
  return answers.filter(({ allowed }) => !allowed).map(({ permission }) => permission);
}
