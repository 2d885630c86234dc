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
interface Done extends Pick<CreatePlan, 'identity' | 'installed'> {
  readonly made: MadeCluster;
  /** How the job came to its cluster. */
  readonly verb: 'created' | 'adopted' | 'claimed';
  /** The components that it installed on the host. */
  readonly newComponents: readonly Component[];
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
  { identity, made, verb, ...done }: Done,
  inputs: ChosenInputs,
  runtime: Runtime,
): Promise<void> {
  const { report, outputs, state, clock } = runtime;
  const { machines: counts, kubernetesVersion: version } = made;
  const { name, namespace, expiresAt, ephemeral } = identity;
  const access =
    inputs.waitFor === 'none'
      ? undefined
      : await handOverKubeconfig(client, identity, saved, inputs, done.tunnel, runtime, done.access);
  const server = access?.server;
  if (access !== undefined && inputs.waitFor === 'nodes') {
    await waitForInstalled(client, access.kubeconfig, { identity, ...done }, made, runtime);
  }
  const kubernetesVersion = version ?? `v${inputs.kubernetesVersion.text}`;
  outputs.set('kubernetes-version', kubernetesVersion);
  outputs.set('timings', JSON.stringify(report.timeline));
  const result = server === undefined ? verb : 'is ready';
  const machines = `${describeMachines(counts)}; ${contentsOf(verb, done.installed)}`;
  const facts = { name, namespace, state: result, host: hostServer, server, kubernetesVersion, machines, expiresAt };
  await report.summary.add(
    createdPage(
      {
        ...facts,
        installed: done.newComponents.map((component) => `${component.title} ${component.version}`),
        ephemeral,
      },
      report.timeline,
    ),
  );
  // Last: a failure before this deletes the cluster again.
  if (!ephemeral) await settle(client, identity, clock.signal);
  state.handOver();
  report.log.line(`✔ ${name} ${result} in ${(report.timeline.elapsed / 1000).toFixed(1)} s`);
}

/** What is installed in the cluster, as far as this step knows. */
function contentsOf(verb: Done['verb'], installed: Done['installed']): string {
  switch (verb) {
    case 'created':
      return describeInstalled(installed);
    case 'adopted':
      return 'CNI: as it was';
    case 'claimed':
      return 'CNI and add-ons: those of the pool';
  }
}
