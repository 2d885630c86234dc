import { firstLineOf } from '../errors.ts';
import type { KubernetesClient } from '../host/client.ts';
import { Kinds } from '../host/kinds.ts';
import { hasStatus } from '../host/rest.ts';
import { mapConcurrently } from '../values/concurrency.ts';
import { isDue, judge, type CleanupRules, type Judgement } from './cleanup-plan.ts';
import { fleetCluster } from './fleet.ts';

/** How many DELETEs are under way at once: a hundred clusters take seconds, and the API server's other clients live. */
const CONCURRENCY = 16;
/** How often a cluster is looked at again that somebody writes to between our look and our DELETE. */
const ATTEMPTS = 5;

/**
 * What became of a cluster: `deleted` is gone with all that belonged to it, `deleting` is asked to go and still there,
 * `due` would be deleted but for a dry run or a limit, `failed` is one that could not be asked.
 */
export type Result = 'deleted' | 'deleting' | 'due' | 'kept' | 'failed';

/** A cluster, what clean-up made of it, and what became of it. */
export interface Outcome extends Judgement {
  readonly result: Result;
  /** The line of the failure; undefined unless it failed. */
  readonly error?: string;
}

/** What becomes of a cluster while nothing is asked of the host. */
export function outcomeOf(judgement: Judgement): Outcome {
  if (isDue(judgement)) return { ...judgement, result: 'due' };
  return { ...judgement, result: judgement.verdict === 'deleting' ? 'deleting' : 'kept' };
}

/**
 * Asks for the deletion of every due cluster, some at a time, and of nothing else. Each DELETE is tied to the very
 * state that was judged: a cluster that changed since is judged again. `done` hears each outcome as it comes; a failure
 * is an outcome too, and stops none of the others.
 */
export async function deleteDue(
  client: KubernetesClient,
  judgements: readonly Judgement[],
  rules: CleanupRules,
  done: (outcome: Outcome) => void,
): Promise<readonly Outcome[]> {
  return mapConcurrently(judgements.filter(isDue), CONCURRENCY, async (judgement) => {
    const outcome = await deleteOne(client, judgement, rules).catch((thrown: unknown): Outcome => {
      return { ...judgement, result: 'failed', error: firstLineOf(thrown) };
    });
    done(outcome);
    return outcome;
  });
}

async function deleteOne(client: KubernetesClient, judgement: Judgement, rules: CleanupRules): Promise<Outcome> {
  let current = judgement;
  for (let attempt = 1; ; attempt++) {
    const { name, namespace, uid, resourceVersion } = current.cluster;
    try {
      const found = await client.delete(Kinds.cluster, name, namespace, { uid, resourceVersion });
      return { ...current, result: found ? 'deleting' : 'deleted' };
    } catch (thrown) {
      if (!hasStatus(thrown, 409) || attempt === ATTEMPTS) throw thrown;
    }
    const cluster = await client.get(Kinds.cluster, name, namespace);
    if (cluster === undefined) return { ...current, result: 'deleted' };
    current = judge(fleetCluster(cluster), rules);
    if (!isDue(current)) return outcomeOf(current);
    // Made anew, or adopted: whoever did it knows more than our rules, whose pull request may have been opened again.
    if (current.cluster.uid !== uid || current.cluster.expiresAt !== judgement.cluster.expiresAt) {
      return outcomeOf({ ...current, verdict: 'alive', reason: 'a job took it while clean-up ran' });
    }
  }
}
