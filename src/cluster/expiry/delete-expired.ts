import { firstLineOf } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { isConflict } from '../../host/api/conflict.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { retry } from '../../retry.ts';
import { mapConcurrently } from '../../values/concurrency.ts';
import { isDue, judge, type CleanupRules, type Judgement } from './policy.ts';
import { fleetCluster } from '../identity/fleet-cluster.ts';

/** How many DELETEs run at once: a hundred clusters take seconds, and the API server's other clients live. */
const CONCURRENCY = 16;

/**
 * The outcome for a cluster: `deleted` is gone with all that belonged to it, `deleting` is asked to go and still there,
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
 * state that was judged: a cluster that changed since is judged again. `done` gets each outcome as it comes; a failure
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
  let isStale = false;
  const tryOnce = async (): Promise<Outcome> => {
    const current = isStale ? await judgeAgain(client, judgement, rules) : judgement;
    isStale = true;
    if (current === undefined) return { ...judgement, result: 'deleted' };
    if (!isDue(current)) return outcomeOf(current);
    const { name, namespace, uid, resourceVersion } = current.cluster;
    const found = await client.delete(Kinds.cluster, name, namespace, { uid, resourceVersion });
    return { ...current, result: found ? 'deleting' : 'deleted' };
  };
  return retry(tryOnce, { signal: client.rest.signal, isRetried: isConflict });
}

/** What the rules say of a cluster that changed since it was judged; undefined when it is gone. */
async function judgeAgain(
  client: KubernetesClient,
  { cluster: { name, namespace, uid, expiresAt } }: Judgement,
  rules: CleanupRules,
): Promise<Judgement | undefined> {
  const cluster = await client.get(Kinds.cluster, name, namespace);
  if (cluster === undefined) return undefined;
  const current = judge(fleetCluster(cluster), rules);
  // A job that made it again or adopted it knows more than our rules: its pull request may have been reopened.
  const isTaken = current.cluster.uid !== uid || current.cluster.expiresAt !== expiresAt;
  return isDue(current) && isTaken ? { ...current, verdict: 'alive', reason: 'a job took it during cleanup' } : current;
}
