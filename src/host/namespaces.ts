import type { KubernetesClient } from './api/client.ts';
import { isConflict } from './api/conflict.ts';
import { Kinds } from './api/kinds.ts';
import { hasStatus } from './api/api-error.ts';
import { namedTarget, watchUntil } from './api/watch.ts';

/**
 * Lets all pods in where the host enforces Pod Security. Source: k8s.io/pod-security-admission api/constants.go. Those of
 * virtual machines and of what runs them are privileged.
 */
const PRIVILEGED = { 'pod-security.kubernetes.io/enforce': 'privileged' };

/** What ensuring a namespace takes. */
export interface NamespaceOptions {
  /** Whether pods that are privileged run in it. */
  readonly isPrivileged: boolean;
  readonly signal: AbortSignal;
  /** Told that it is waited for. */
  readonly onWait: (line: string) => void;
}

/**
 * Creates a namespace where there is none, once one of that name that is being deleted is gone. One that exists stays as
 * it is. Credentials that may not look at namespaces work in one that an administrator made.
 */
export async function ensureNamespace(
  client: KubernetesClient,
  name: string,
  { isPrivileged, signal, onWait }: NamespaceOptions,
): Promise<void> {
  try {
    const existing = await client.get(Kinds.namespace, name);
    if (existing !== undefined && existing.metadata.deletionTimestamp === undefined) return;
    if (existing !== undefined) {
      onWait(`namespace ${name} is being deleted; waiting until it is gone`);
      const target = namedTarget(Kinds.namespace, '', () => [name]);
      await watchUntil(client, [target], () => target.objects.size === 0 || undefined, signal);
    }
  } catch (thrown) {
    if (hasStatus(thrown, 403)) return;
    throw thrown;
  }
  const labels = isPrivileged ? { labels: PRIVILEGED } : {};
  try {
    await client.create(Kinds.namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...labels } });
  } catch (thrown) {
    if (!isConflict(thrown)) throw thrown;
  }
}
