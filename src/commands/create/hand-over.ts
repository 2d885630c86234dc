import { settle } from '../../cluster/lifecycle/claim.ts';
import { describeMachines } from '../../cluster/machines/machine-counts.ts';
import type { Connection } from '../../host/connection.ts';
import type { CreateInputs } from '../../inputs.ts';
import { createdPage } from '../../report/summary.ts';
import type { Runtime } from '../../runtime.ts';
import type { KeptCredentials } from '../steps/credentials.ts';
import { handOverKubeconfig } from '../steps/write-kubeconfig.ts';
import type { CreatePlan } from './plan.ts';
import type { MadeCluster } from './wait.ts';

/** Gives the job its cluster: kubeconfig, outputs, summary. A cluster that outlives its job is settled from here on. */
export async function handOver(
  { client, server: hostServer, saved }: Connection & KeptCredentials,
  { identity, cni }: CreatePlan,
  { machines: counts, created, kubernetesVersion: version }: MadeCluster,
  inputs: CreateInputs,
  runtime: Runtime,
): Promise<void> {
  const { report, outputs, state, clock } = runtime;
  const { name, namespace, expiresAt, ephemeral } = identity;
  const server =
    inputs.waitFor === 'none' ? undefined : await handOverKubeconfig(client, identity, saved, inputs, runtime);
  const kubernetesVersion = version ?? `v${inputs.kubernetesVersion.text}`;
  outputs.set('kubernetes-version', kubernetesVersion);
  outputs.set('timings', JSON.stringify(report.timeline));
  const verb = created ? 'created' : 'adopted';
  const result = server === undefined ? verb : 'is ready';
  const machines = `${describeMachines(counts)}; CNI: ${created ? cni.description : 'as it was'}`;
  const facts = { name, namespace, state: result, host: hostServer, server, kubernetesVersion, machines, expiresAt };
  await report.summary.add(createdPage({ ...facts, ephemeral }, report.timeline));
  // Last: a failure before this deletes the cluster again.
  if (!ephemeral) await settle(client, identity, clock.signal);
  state.handOver();
  report.log.line(`✔ ${name} ${result} in ${(report.timeline.elapsed / 1000).toFixed(1)} s`);
}
