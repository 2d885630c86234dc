import { checkAddressesSuffice, poolsOf } from '../cluster/machines/address-pool.ts';
import { tieDisks } from '../cluster/lifecycle/disks.ts';
import { engineOf } from '../cluster/engines/engines.ts';
import { fleetCluster } from '../cluster/identity/fleet-cluster.ts';
import { follow } from '../cluster/status/wait.ts';
import { findOwned } from '../cluster/identity/ownership.ts';
import { permissionsOf } from '../permissions/permissions.ts';
import { isScaled, planScale, requestScale } from '../cluster/lifecycle/scale.ts';
import { type ClusterView } from '../cluster/status/cluster-view.ts';
import { firstLineOf } from '../errors.ts';
import { checkPermissions } from '../permissions/check-permissions.ts';
import type { ScaleInputs } from '../inputs.ts';
import type { JobRuntime } from '../runtime.ts';
import { diagnose, IN_MAIN } from './steps/diagnose.ts';
import { connectClusterHost } from './steps/connect-host.ts';
import { checkVolumes } from './steps/lost-volumes.ts';

/**
 * Gives a nested cluster of this repository another number of machines, and waits until it has them.
 * Errors: KNEST_HOST_*, KNEST_PERMISSION, KNEST_NOT_FOUND, KNEST_OWNED_BY_OTHER, KNEST_SCALE, KNEST_ADDRESS_POOL,
 * KNEST_API_ACCESS, and those of waiting: KNEST_TIMEOUT, KNEST_IMAGE_PULL, KNEST_UNSCHEDULABLE, KNEST_BOOTSTRAP,
 * KNEST_INFRASTRUCTURE. The cluster stays as far as it came.
 */
export async function scale(inputs: ScaleInputs, runtime: JobRuntime): Promise<void> {
  const { name, namespace, replicas, timeoutSeconds } = inputs;
  const {
    report: { log },
    clock: { signal },
  } = runtime;
  runtime.outputs.set('name', name);
  runtime.outputs.set('namespace', namespace);
  const host = await connectClusterHost(inputs, runtime);
  const { client } = host;
  await checkPermissions(client, permissionsOf('scale', namespace));
  const cluster = await findOwned(client, inputs, runtime.job);
  const plan = await planScale(client, cluster, replicas);
  const { controlPlane, workers } = plan.machines;
  const pools = await poolsOf(client, inputs);
  checkAddressesSuffice(pools, inputs, controlPlane + workers);
  await checkVolumes(host, cluster, plan, inputs, runtime);
  // Before a machine goes, and once those that are new have disks.
  const tie = async (): Promise<void> => {
    await tieDisks(client, namespace, [fleetCluster(cluster)], log).catch((thrown: unknown) => {
      log.warn(`disks of ${name} may remain after their machines are deleted: ${firstLineOf(thrown)}`);
    });
  };
  await tie();
  const machines = `control plane: ${controlPlane}, workers: ${workers}`;
  const scaled = log.step('Scale', async (step) => {
    await requestScale(client, cluster, plan);
    const isReached = (view: ClusterView): boolean => isScaled(view, plan);
    const parts = { engine: engineOf(cluster), persistent: pools.length > 0 };
    const goal = { ...parts, isReached, verb: 'be scaled', timeoutSeconds };
    await follow(client, inputs, goal, step, signal);
    return { value: undefined, result: machines };
  });
  await scaled.catch(async (thrown: unknown) => {
    await diagnose(client, inputs, IN_MAIN, runtime);
    throw thrown;
  });
  await tie();
  runtime.outputs.set('timings', JSON.stringify(runtime.report.timeline));
  await runtime.report.summary.add(`### ${name} is scaled\n\n${machines}`);
  log.line(`✔ ${name} is scaled (${machines}) in ${(runtime.report.timeline.elapsed / 1000).toFixed(1)} s`);
}
