import { KnestError } from '../errors.ts';
import type { KubernetesClient } from '../host/api/client.ts';
import type { Component } from '../catalog/components/component.ts';

/**
 * Checks, for credentials that may not take an inventory, that the host serves the API of every component: that is for
 * everybody to see. Throws KNEST_PERMISSION with those that are missing.
 */
export async function checkServed(client: KubernetesClient, components: readonly Component[]): Promise<void> {
  const served = await Promise.all(components.map(async ({ crd }) => crd === undefined || client.serves(crd)));
  const missing = components.filter((_component, index) => served[index] === false);
  if (missing.length === 0) return;
  throw new KnestError({
    code: 'KNEST_PERMISSION',
    problem: `the host lacks ${missing.map(({ title }) => title).join(', ')}, and these credentials may not install it`,
    next: 'run this once with an account that docs/rbac/install.yaml of knest-action is bound to',
  });
}
