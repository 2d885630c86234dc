import { firstLineOf } from '../../errors.ts';
import { ApiError, hasStatus } from '../../host/api/api-error.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import { mapConcurrently } from '../../values/concurrency.ts';
import { titleOf } from './workloads.ts';

const PATIENCE = 10_000;
const CONCURRENCY = 4;
/** Lines of what one cause may keep from being applied. */
const MOST_LINES = 5;

/** What the nested cluster says to the objects that it does not have yet: asked by dry runs. Never rejects. */
export async function explainUnapplied(
  nested: KubernetesClient,
  objects: readonly KubernetesObject[],
): Promise<readonly string[]> {
  const briefly = nested.briefly(AbortSignal.timeout(PATIENCE));
  const answers = await mapConcurrently(objects, CONCURRENCY, async (object) => {
    try {
      await briefly.dryRun(object, { retries: 0 });
      return `${titleOf(object)}: accepted now, and not applied yet`;
    } catch (thrown) {
      if (hasStatus(thrown, 409)) return undefined; // it exists
      const text = thrown instanceof ApiError ? thrown.answer.replace(/\s+/g, ' ').trim() : firstLineOf(thrown);
      return `${titleOf(object)}: ${text}`;
    }
  });
  return answers.filter((line) => line !== undefined).slice(0, MOST_LINES);
}
