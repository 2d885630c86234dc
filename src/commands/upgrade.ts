import { findOwned } from '../cluster/identity/ownership.ts';
import { describeVolume, KEEP_DATA, localVolumes } from '../cluster/machines/local-volumes.ts';
import type { ClusterView } from '../cluster/status/cluster-view.ts';
import { follow } from '../cluster/status/wait.ts';
import { ApiGaps } from '../cluster/upgrade/api-gaps.ts';
import { explainUnfinished } from '../cluster/upgrade/failure.ts';
import { areWorkersUpgraded, isControlPlaneUpgraded } from '../cluster/upgrade/goals.ts';
import { coreDnsImage, kubeProxyImage } from '../cluster/upgrade/nested.ts';
import { planUpgrade, type PartPlan, type UpgradePlan } from '../cluster/upgrade/plan.ts';
import { refusal } from '../cluster/upgrade/refusal.ts';
import { checkRoom } from '../cluster/upgrade/room.ts';
import {
  endUpgrade,
  removeReplacedTemplates,
  tryUpgrade,
  upgradeControlPlane,
  upgradePart,
} from '../cluster/upgrade/write.ts';
import { firstLineOf } from '../errors.ts';
import type { KubernetesClient } from '../host/api/client.ts';
import { connectPlain } from '../host/connect.ts';
import type { Connection } from '../host/connection.ts';
import type { UpgradeInputs } from '../inputs.ts';
import { checkPermissions } from '../permissions/check-permissions.ts';
import { addedPermissions, permissionsOf } from '../permissions/permissions.ts';
import type { StepLog } from '../report/log.ts';
import type { JobRuntime } from '../runtime.ts';
import { connectClusterHost } from './steps/connect-host.ts';
import { diagnose, IN_MAIN } from './steps/diagnose.ts';
import { reachNested } from './steps/reach-nested.ts';

/**
 * Gives a nested cluster of this repository another version of Kubernetes: machine by machine, first the control plane,
 * then its workers. Waits until all of them have it, and reports how long the nested API did not answer. Errors:
 * KNEST_HOST_*, KNEST_PERMISSION, KNEST_NOT_FOUND, KNEST_OWNED_BY_OTHER, KNEST_API_ACCESS, KNEST_INPUT, KNEST_UPGRADE,
 * KNEST_UNSCHEDULABLE, and those of waiting, as `scale`. The cluster stays as far as it came; the same inputs continue.
 */
export async function upgrade(inputs: UpgradeInputs, runtime: JobRuntime): Promise<void> {
  const { name, namespace } = inputs;
  const { outputs, report } = runtime;
  outputs.set('name', name);
  outputs.set('namespace', namespace);
  const host = await connectClusterHost(inputs, runtime);
  const { client } = host;
  await checkPermissions(client, permissionsOf('upgrade', namespace));
  const { plan, kubeconfig } = await report.log.step('Preflight', (step) => preflight(host, inputs, step, runtime));
  const { version } = plan.target;
  outputs.set('kubernetes-version', version);
  if (plan.isDone) {
    report.log.line(`✔ ${name} has Kubernetes ${version} already`);
    return;
  }
  const gaps = new ApiGaps(kubeconfig, runtime.clock.signal);
  const nested = connectPlain(kubeconfig, runtime.clock.signal);
  try {
    await replaceMachines(client, plan, inputs, runtime);
  } catch (thrown) {
    const explained = await explainUnfinished(client, nested, plan, thrown);
    await diagnose(client, inputs, IN_MAIN, runtime);
    throw explained;
  } finally {
    await gaps.end();
  }
  const { fresh, kept } = await gaps.end();
  const gap = `the nested API left at most ${fresh.seconds.toFixed(1)} s between answers on new connections, ${kept.seconds.toFixed(1)} s on a kept one`;
  const dns = await coreDnsImage(nested).catch(() => undefined);
  report.log.line(`▸ API gaps: ${gap}`);
  if (dns !== undefined) report.log.line(`▸ CoreDNS has the image ${dns}`);
  outputs.set('timings', JSON.stringify(report.timeline));
  await report.summary.add(
    `### ${name} is upgraded to Kubernetes ${version}\n\n${gap[0]?.toUpperCase()}${gap.slice(1)}.`,
  );
  report.log.line(`✔ ${name} is upgraded to ${version} in ${(report.timeline.elapsed / 1000).toFixed(1)} s`);
}

interface Checked {
  readonly plan: UpgradePlan;
  /** Of the nested cluster, by a route that works. */
  readonly kubeconfig: string;
}

/** Looks at all that could keep the upgrade from its end, before anything is written. */
async function preflight(
  host: Connection,
  inputs: UpgradeInputs,
  step: StepLog,
  runtime: JobRuntime,
): Promise<{ readonly value: Checked; readonly result: string }> {
  const { client } = host;
  const cluster = await findOwned(client, inputs, runtime.job);
  const plan = await planUpgrade(client, cluster, inputs);
  const { engine, target, isTopology, isDone, isUnderWay } = plan;
  if (isDone) return { value: { plan, kubeconfig: '' }, result: `all machines have ${target.version}` };
  if (!isTopology && engine.name !== 'other') {
    await checkPermissions(client, addedPermissions('upgrade', inputs.namespace, [engine.name]));
  }
  const { nested, kubeconfig, reason } = await reachNested(host, inputs, step, runtime);
  // Machines in memory have no disks, and their API server knows no volumes.
  const volumes = engine.name === 'in-memory' ? [] : await localVolumes(nested);
  if (volumes.length > 0) {
    const lost = 'volumes on the disks of its machines would be lost';
    throw refusal(inputs.name, lost, KEEP_DATA, volumes.map(describeVolume));
  }
  const unknown = await checkRoom(client, plan);
  await tryUpgrade(client, plan);
  const proxy = await kubeProxyImage(nested, target.version).catch(() => undefined);
  if (proxy !== undefined) step.line(`old machines pull ${proxy} as well, once the control plane is new`);
  for (const line of [...plan.risks, ...(unknown === undefined ? [] : [unknown])]) step.line(line);
  const begun = isUnderWay ? ', continuing' : '';
  return { value: { plan, kubeconfig }, result: `to ${target.version}${begun}; API by ${reason}` };
}

/** Has Cluster API replace the machines, and waits for it. */
async function replaceMachines(
  client: KubernetesClient,
  plan: UpgradePlan,
  inputs: UpgradeInputs,
  { report: { log }, clock: { signal } }: JobRuntime,
): Promise<void> {
  const { engine, workers, isTopology } = plan;
  const { version } = plan.target;
  const said = new Map<string, string>();
  const reached = (step: StepLog, isReached: (view: ClusterView) => boolean): Promise<void> => {
    const goal = {
      engine,
      persistent: false,
      isReached,
      verb: 'be upgraded',
      timeoutSeconds: inputs.timeoutSeconds,
      said,
    };
    return follow(client, inputs, goal, step, signal);
  };
  const namesOf = (parts: readonly PartPlan[]): readonly string[] => parts.map(({ object }) => object.metadata.name);
  await log.step('Upgrade control plane', async (step) => {
    await upgradeControlPlane(client, plan);
    await reached(step, (view) => isControlPlaneUpgraded(view, version));
    return { value: undefined, result: `all of it has ${version}` };
  });
  if (workers.length > 0) {
    await log.step('Upgrade workers', async (step) => {
      // One after another: there is room for one more machine. A topology has begun with them by itself.
      for (const part of isTopology ? [] : workers) {
        await upgradePart(client, plan, part);
        await reached(step, (view) => areWorkersUpgraded(view, version, namesOf([part])));
      }
      await reached(step, (view) => areWorkersUpgraded(view, version, namesOf(workers)));
      return { value: undefined, result: `all of them have ${version}` };
    });
  }
  await endUpgrade(client, plan);
  try {
    const removed = await removeReplacedTemplates(client, plan);
    if (removed.length > 0) log.line(`▸ Deleted the replaced machine templates ${removed.join(', ')}`);
  } catch (thrown) {
    log.warn(
      `machine templates that ${inputs.name} no longer uses may remain until it is deleted: ${firstLineOf(thrown)}`,
    );
  }
}
