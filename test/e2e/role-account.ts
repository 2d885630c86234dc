import { join } from 'node:path';
import type { Host } from '../host/host.ts';
import { noteSecrets } from '../support/evidence.ts';

/** The namespace in which the account of docs/rbac works. */
export const ROLE_NAMESPACE = 'knest';

/** Its account, as the API server calls it. */
export const ROLE_USER = `system:serviceaccount:${ROLE_NAMESPACE}:knest-action`;

/** The path of a file of docs/rbac. */
export function rbacFile(name: string): string {
  return join(import.meta.dirname, '../../docs/rbac', name);
}

/** Applies a file of docs/rbac. */
export async function grant(host: Host, file: string): Promise<void> {
  await host.kubectl(['apply', '-f', rbacFile(file)]);
}

/** Takes back what a file of docs/rbac grants. */
export async function withdraw(host: Host, file: string): Promise<void> {
  await host.kubectl(['delete', '--ignore-not-found', '-f', rbacFile(file)]);
}

/** Applies docs/rbac/namespace.yaml, and returns a token for the account in it. */
export async function roleToken(host: Host): Promise<string> {
  await grant(host, 'namespace.yaml');
  const created = await host.kubectl(['create', 'token', 'knest-action', '-n', ROLE_NAMESPACE, '--duration=2h']);
  const token = created.trim();
  noteSecrets([token]);
  return token;
}

/** Applies docs/rbac/namespace.yaml, and returns the text of a kubeconfig for the account in it. */
export async function roleKubeconfig(host: Host): Promise<string> {
  const token = await roleToken(host);
  const text = await host.kubectl(['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json']);
  const admin = JSON.parse(text) as { readonly users: readonly { readonly name: string }[] };
  return JSON.stringify({ ...admin, users: admin.users.map(({ name }) => ({ name, user: { token } })) });
}
