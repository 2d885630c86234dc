import { engineOf } from '../../cluster/engines/engines.ts';
import { belongingTo } from '../../cluster/identity/cluster-handle.ts';
import { checkNoneLost, removesMachines, type ScalePlan } from '../../cluster/lifecycle/scale.ts';
import { describeVolume, localVolumes, type LocalVolume } from '../../cluster/machines/local-volumes.ts';
import { hasJoined } from '../../cluster/status/cluster-view.ts';
import { KnestError } from '../../errors.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Connection } from '../../host/connection.ts';
import type { ScaleInputs } from '../../inputs.ts';
import { checkPermissions } from '../../permissions/check-permissions.ts';
import { addedPermissions } from '../../permissions/permissions.ts';
import type { StepLog } from '../../report/log.ts';
import type { Clock, JobRuntime } from '../../runtime.ts';
import { formatDuration } from '../../values/duration.ts';
import { reachNested } from './reach-nested.ts';

/** Seconds that `auto` has for a way into the cluster at most, half of what the command has left if that is less. */
const PATIENCE_SECONDS = 90;

/**
 * Refuses to remove machines that may have data of volumes on their disks. A scale that only adds machines sends no
 * request here. Errors: KNEST_SCALE, and those of reachNested; `auto` only warns when it finds no way into the cluster.
 */
export async function checkVolumes(
  host: Connection,
  cluster: Cluster,
  plan: ScalePlan,
  inputs: ScaleInputs,
  runtime: JobRuntime,
): Promise<void> {
  // Machines in memory have no disks, and their API server knows no volumes.
  if (!removesMachines(plan) || engineOf(cluster).name === 'in-memory') return;
  const { log } = runtime.report;
  await log.step('Volumes', async (step) => {
    const machines = await host.client.list(Kinds.machine, belongingTo(inputs));
    if (!machines.some(hasJoined)) return { value: undefined, result: 'none, since the cluster has no nodes yet' };
    const found = await findVolumes(host, inputs, step, runtime);
    if ('problem' in found) {
      log.warn(
        `volumes on the disks of the machines that are removed may be lost, since nobody could look for them: ${found.problem}`,
      );
      return { value: undefined, result: 'not checked' };
    }
    checkNoneLost(inputs, found.volumes, machines, plan);
    for (const volume of found.volumes)
      if (volume.nodes === 'any') step.line(`may be on a machine that is removed: ${describeVolume(volume)}`);
    return { value: undefined, result: `none on the disks of machines that may be removed; API by ${found.reason}` };
  });
}

/** What was found, or why `auto` could not look. */
type Found = { readonly volumes: readonly LocalVolume[]; readonly reason: string } | { readonly problem: string };

async function findVolumes(host: Connection, inputs: ScaleInputs, step: StepLog, runtime: JobRuntime): Promise<Found> {
  const { apiAccess, namespace } = inputs;
  const isAuto = apiAccess === 'auto';
  const clock = isAuto ? shortened(runtime.clock) : runtime.clock;
  const client = host.client.until(clock.signal);
  const features = ['local-volumes' as const, ...(apiAccess === 'tunnel' ? ['tunnel' as const] : [])];
  try {
    await checkPermissions(client, addedPermissions('scale', namespace, features));
    const { nested, reason } = await reachNested({ ...host, client }, inputs, step, { ...runtime, clock });
    return { volumes: await localVolumes(nested), reason };
  } catch (thrown) {
    if (!isAuto || runtime.clock.signal.aborted || !(thrown instanceof KnestError)) throw thrown;
    for (const line of thrown.evidence) step.line(line);
    return { problem: thrown.problem };
  }
}

/** A clock that leaves the command time for its work. */
function shortened(clock: Clock): Clock {
  const seconds = Math.min(PATIENCE_SECONDS, clock.secondsLeft() / 2);
  const timeUp = new AbortController();
  const problem = `the API server of the cluster did not answer within ${formatDuration(seconds)}`;
  const timer = setTimeout(() => timeUp.abort(new KnestError({ code: 'KNEST_TIMEOUT', problem })), seconds * 1000);
  timer.unref();
  return { ...clock, signal: AbortSignal.any([clock.signal, timeUp.signal]) };
}
