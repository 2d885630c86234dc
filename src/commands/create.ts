import { randomUUID } from 'node:crypto';
import { checkServedObjects } from '../cluster/lifecycle/name-conflicts.ts';
import { tieDisks } from '../cluster/lifecycle/disks.ts';
import type { ClaimedCluster } from '../cluster/lifecycle/claim.ts';
import type { Component } from '../catalog/components/component.ts';
import type { TunnelUse } from '../cluster/tunnel/settings.ts';
import type { Connection } from '../host/connection.ts';
import type { ChosenInputs, CreateInputs } from '../inputs.ts';
import type { WithKubeconfig } from '../install/clusterctl.ts';
import { install } from '../install/install.ts';
import { describeChosen } from '../install/rate-limits.ts';
import type { JobRuntime, Runtime } from '../runtime.ts';
import type { SavedHost } from '../post-state.ts';
import { connectHost } from './steps/connect-host.ts';
import { chooseInfrastructure } from './create/choose-infrastructure.ts';
import { claim, complete } from './create/claim.ts';
import { finishRegistry, makeRegistry } from './create/registry.ts';
import { handOver } from './create/hand-over.ts';
import { maskInputs } from './create/mask-inputs.ts';
import { planCluster, type CreatePlan } from './create/plan.ts';
import { undo } from './create/roll-back.ts';
import { waitForCluster } from './create/wait.ts';
import { keepCredentials } from './steps/credentials.ts';
import { JobTunnel } from './steps/open-tunnel.ts';
import { diagnose, IN_MAIN } from './steps/diagnose.ts';

/**
 * Creates a nested cluster, or adopts one that it may, and passes its kubeconfig to the job.
 * Errors: KNEST_HOST_*, KNEST_PERMISSION, KNEST_INPUT, KNEST_STORAGE_CLASS, KNEST_ADDRESS_POOL,
 * KNEST_UNSUPPORTED_VERSION, KNEST_DOWNLOAD, KNEST_CHECKSUM, KNEST_CNI, KNEST_INSTALL, KNEST_TEMPLATE,
 * KNEST_OWNED_BY_OTHER, KNEST_IMAGE_PULL, KNEST_UNSCHEDULABLE, KNEST_BOOTSTRAP, KNEST_INFRASTRUCTURE, KNEST_TIMEOUT,
 * KNEST_API_ACCESS, KNEST_REGISTRY. A failed create deletes what it made, unless it is to be kept.
 */
export async function create(asked: CreateInputs, runtime: JobRuntime): Promise<void> {
  maskInputs(asked, runtime.secrets);
  const host = await connectHost(asked, runtime);
  const inputs = await chooseInfrastructure(host, asked, runtime);
  const plan = await planCluster(host, inputs, runtime); // writes nothing to the host
  const { saved, withKubeconfig } = await keepCredentials(host, plan.identity.name, runtime.directory);
  remember(saved, plan, inputs, runtime); // from here on, the post step can find the cluster
  const installed = await installMissing(host, plan, inputs, withKubeconfig, runtime);
  if (plan.hasForeignTemplate) await checkServedObjects(host.client, plan.objects.others);
  const claimed = await claim(host.client, plan, runtime);
  try {
    const use = tunnelUse(saved, plan);
    const { objects, running } = await makeRegistry(host.client, plan, claimed, use, inputs, runtime);
    const made = { ...claimed, ...(await complete(host.client, { ...plan, objects }, claimed, runtime)) };
    const tunnel = new JobTunnel(host.client, plan.identity, inputs.relayImage, { ...use, running }, runtime);
    const access =
      inputs.waitFor === 'none' ? undefined : await waitForCluster(host.client, plan, made, inputs, tunnel, runtime);
    if (inputs.persistent) await labelDisks(host, claimed, runtime); // now: others may delete the cluster
    await finishRegistry(host.client, claimed, inputs, runtime);
    await handOver(host, saved, { plan, made, installed, access, tunnel }, inputs, runtime);
  } catch (thrown) {
    await diagnose(host.client, plan.identity, IN_MAIN, runtime);
    const { keepOnFailure } = inputs;
    throw await undo(host, plan.identity, { keepOnFailure, created: claimed.created }, thrown, runtime);
  }
}

/** Saves what the post step needs, before the first write to the host. */
function remember(
  host: SavedHost,
  { identity }: CreatePlan,
  { keepOnFailure }: CreateInputs,
  { state }: Runtime,
): void {
  const { name, namespace, ephemeral, claim, repository, expiresAt, unsettled } = identity;
  const expiry = expiresAt === undefined ? {} : { expiresAt };
  state.rememberHost(host);
  state.remember({ name, namespace, repository, claim, ephemeral, keepOnFailure, unsettled, ...expiry });
}

/** Installs what the host lacks. Returns the components that it installed. */
async function installMissing(
  { client }: Connection,
  { clusterctl, components, inventory }: CreatePlan,
  { providerVariables }: ChosenInputs,
  withKubeconfig: WithKubeconfig,
  { job, report: { log }, clock: { signal, secondsLeft } }: JobRuntime,
): Promise<readonly Component[]> {
  return log.step('Install', async (step) => {
    // The legs of a matrix are one job to GitHub, and must not take each other's Lease for their own.
    const holder = `${job.repository} run ${job.runId} job ${job.jobName} ${randomUUID()}`;
    const installation = { client, clusterctl, withKubeconfig, components, inventory, holder, signal, secondsLeft };
    const { installed, result } = await install(installation, step);
    const chosen = describeChosen(installed, providerVariables);
    if (chosen !== undefined) step.line(chosen);
    return { value: installed, result };
  });
}

/** What the tunnels of the job take. Those of an ephemeral cluster end with its claim: no other job uses it. */
function tunnelUse(host: SavedHost, { identity: { ephemeral, claim } }: CreatePlan): TunnelUse {
  return ephemeral ? { host, claim } : { host };
}

/** Labels the disks of a persistent cluster as its own, so that they can be deleted with it. */
async function labelDisks(
  { client }: Connection,
  { cluster: { metadata } }: ClaimedCluster,
  { job: { server, repositoryId }, report: { log } }: JobRuntime,
): Promise<void> {
  const { name, namespace = '', uid = '' } = metadata;
  await tieDisks(client, namespace, [{ name, uid, server, repositoryId }], log);
}
