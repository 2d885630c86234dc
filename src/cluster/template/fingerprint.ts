import { createHash } from 'node:crypto';

/** What the labels and annotations of the action begin with. */
const OWN = 'knest-action/';

/**
 * A hash of the objects of a cluster without the action's own labels and annotations, so that it is the same for every
 * use of the action that renders the same objects.
 */
export function fingerprint(objects: readonly object[]): string {
  const text = JSON.stringify(objects, (key, value: unknown) => (key.startsWith(OWN) ? undefined : value));
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
