import type { KubernetesClient } from './client.ts';
import type { Kind } from './kinds.ts';
import type { KubernetesObject } from './objects.ts';
import { hasStatus } from './api-error.ts';
import { retry } from '../../retry.ts';

/** Whether the host refused a write because another client changed the object since it was read. */
export function isConflict(thrown: unknown): boolean {
  return hasStatus(thrown, 409);
}

/**
 * Does a write that is tied to the object as it was read; after a conflict reads the object again and repeats the write.
 * Resolves undefined when the object is gone, or another one has its name. Rejects with the conflict when there is one
 * each time, and with what `write` throws.
 */
export async function writeGuarded<T extends KubernetesObject, Result>(
  client: KubernetesClient,
  kind: Kind<T>,
  object: T,
  write: (current: T) => Promise<Result>,
): Promise<Result | undefined> {
  const { name, namespace, uid } = object.metadata;
  let known: T | undefined = object;
  const tryOnce = async (): Promise<Result | undefined> => {
    const current = known ?? (await client.get(kind, name, namespace));
    known = undefined;
    return current?.metadata.uid === uid && current !== undefined ? write(current) : undefined;
  };
  return retry(tryOnce, { signal: client.rest.signal, isRetried: isConflict });
}
