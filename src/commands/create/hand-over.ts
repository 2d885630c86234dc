import { describeInstalled } from '../../cluster/addons/resource-set.ts';
import { settle } from '../../cluster/lifecycle/claim.ts';
import { describeMachines } from '../../cluster/machines/machine-counts.ts';
import type { Access } from '../../cluster/access/find-access.ts';
import type { Component } from '../../catalog/components/component.ts';
import type { Connection } from '../../host/connection.ts';
import type { ChosenInputs } from '../../inputs.ts';
import { createdPage } from '../../report/summary.ts';
import type { Runtime } from '../../runtime.ts';
import type { SavedHost } from '../../post-state.ts';
import type { JobTunnel } from '../steps/open-tunnel.ts';
import { handOverKubeconfig } from '../steps/write-kubeconfig.ts';
import type { CreatePlan } from './plan.ts';
import { waitForInstalled, type MadeCluster } from './wait.ts';

/** What a create did. */
interface Done {
  readonly plan: CreatePlan;
  readonly made: MadeCluster;
  /** The components that it installed on the host. */
  readonly installed: readonly Component[];
  /** The way to the nested API server, when that has answered already. */
  readonly access: Access | undefined;
  readonly tunnel: JobTunnel;
}

/**
 * Gives the job its cluster: kubeconfig, outputs, summary. A cluster that outlives its job is settled from here on.
 * `saved`: how later steps connect to the host.
 */
export async function handOver(
  { client, server: hostServer }: Connection,
  saved: SavedHost,
  { plan, made, ...done }: Done,
  inputs: ChosenInputs,
  runtime: Runtime,
): Promise<void> {
  const { report, outputs, state, clock } = runtime;
  const { identity } = plan;
  const { machines: counts, created, kubernetesVersion: version } = made;
  const { name, namespace, expiresAt, ephemeral } = identity;
  const access =
    inputs.waitFor === 'none'
      ? undefined
      : await handOverKubeconfig(client, identity, saved, inputs, done.tunnel, runtime, done.access);
  const server = access?.server;
  if (access !== undefined && inputs.waitFor === 'nodes') {
    await waitForInstalled(client, access.kubeconfig, plan, made, runtime);
  }
  const kubernetesVersion = version ?? `v${inputs.kubernetesVersion.text}`;
  outputs.set('kubernetes-version', kubernetesVersion);
  outputs.set('timings', JSON.stringify(report.timeline));
  const verb = created ? 'created' : 'adopted';
  const result = server === undefined ? verb : 'is ready';
  const machines = `${describeMachines(counts)}; ${created ? describeInstalled(plan.installed) : 'CNI: as it was'}`;
  const facts = { name, namespace, state: result, host: hostServer, server, kubernetesVersion, machines, expiresAt };
  await report.summary.add(
    createdPage(
      { ...facts, installed: done.installed.map((component) => `${component.title} ${component.version}`), ephemeral },
      report.timeline,
    ),
  );
  // Last: a failure before this deletes the cluster again.
  if (!ephemeral) await settle(client, identity, clock.signal);
  state.handOver();
  report.log.line(`✔ ${name} ${result} in ${(report.timeline.elapsed / 1000).toFixed(1)} s`);
}
