import type { ClusterIdentity } from '../cluster/identity.ts';
import { removeCluster } from '../cluster/removal.ts';
import { messageOf, toKnestError, type KnestError } from '../errors.ts';
import type { Connection } from '../host/connect.ts';
import type { World } from '../world.ts';

/** Milliseconds for deleting what a failed create has made; the post step has time of its own. */
const UNDO_MILLISECONDS = 120_000;

/**
 * What becomes of a cluster whose create failed: an ephemeral one that this create made is deleted, and the failure
 * says so. A cancelled job leaves that to its post step, since it has seconds; a lasting or adopted cluster stays.
 */
export async function undo(
  { client }: Connection,
  cluster: ClusterIdentity,
  { ephemeral, created }: { readonly ephemeral: boolean; readonly created: boolean },
  thrown: unknown,
  world: World,
): Promise<KnestError> {
  const failure = toKnestError(thrown);
  const { name, namespace } = cluster;
  if (failure.code === 'KNEST_CANCELLED') return failure;
  if (!ephemeral || !created) return failure.with(`Kept: Cluster ${namespace}/${name} is still there.`);
  const started = performance.now();
  const signal = AbortSignal.any([AbortSignal.timeout(UNDO_MILLISECONDS), world.cancelled]);
  try {
    await world.log.step('Delete again', async (step) => {
      await removeCluster(client.until(signal), cluster, cluster.owner, step, signal);
      return { value: undefined, result: `all of ${name} is gone` };
    });
    return failure.with(`Deleted again: all gone after ${((performance.now() - started) / 1000).toFixed(1)} s.`);
  } catch (problem) {
    return failure.with(`Not deleted again: ${messageOf(problem)}`);
  }
}
