import { Annotations, type ClusterIdentity } from '../../cluster/identity/identity.ts';
import { proofOfClaim } from '../../cluster/identity/ownership.ts';
import { describeRest, removeCluster } from '../../cluster/lifecycle/delete.ts';
import { messageOf, toKnestError, type KnestError } from '../../errors.ts';
import type { Connection } from '../../host/connection.ts';
import { keptLines } from '../../report/kept-cluster.ts';
import type { Runtime } from '../../runtime.ts';
import { IN_MAIN } from '../steps/diagnose.ts';

/** Milliseconds for cleaning up after a failure, the diagnosis before it included; the post step has its own time. */
const CLEAN_UP_MILLISECONDS = 120_000;
const UNDO_MILLISECONDS = CLEAN_UP_MILLISECONDS - IN_MAIN.milliseconds;

/** What decides whether a cluster stays. */
interface Fate {
  readonly keepOnFailure: boolean;
  /** Whether this create made it. */
  readonly created: boolean;
}

/**
 * What becomes of a cluster whose create failed: one that this create made is deleted, also one that was to outlive the
 * job, since nobody was given it, and the failure says so. A cancelled job leaves that to its post step, since it has
 * seconds. An adopted cluster stays, and so does one that is to be kept, until it expires: the failure says so with the
 * commands for it.
 */
export async function undo(
  { client }: Connection,
  identity: ClusterIdentity,
  { keepOnFailure, created }: Fate,
  thrown: unknown,
  runtime: Runtime,
): Promise<KnestError> {
  const failure = toKnestError(thrown);
  const { name, namespace, ephemeral } = identity;
  if (failure.code === 'KNEST_CANCELLED') return failure;
  if (keepOnFailure) runtime.state.keep();
  if (keepOnFailure || !(created || ephemeral)) {
    const provisional = created ? identity.unsettled[Annotations.expiresAt] : undefined;
    return failure.with(...keptLines({ name, namespace, expiresAt: identity.expiresAt ?? provisional }));
  }
  if (!created) return failure.with(`Kept until the post step: Cluster ${namespace}/${name} existed before.`);
  const started = performance.now();
  const signal = AbortSignal.any([AbortSignal.timeout(UNDO_MILLISECONDS), runtime.clock.cancelled]);
  try {
    const { unverified } = await runtime.report.log.step('Clean up', async (step) => {
      const value = await removeCluster(client.until(signal), identity, proofOfClaim(identity), step, signal);
      return { value, result: describeRest(name, value) };
    });
    const rest = unverified.length === 0 ? 'all gone' : describeRest(name, { unverified });
    return failure.with(`Cleaned up: ${rest} after ${((performance.now() - started) / 1000).toFixed(1)} s.`);
  } catch (problem) {
    return failure.with(`Not cleaned up: ${messageOf(problem)}`);
  }
}
