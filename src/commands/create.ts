import { checkServedObjects } from '../cluster/lifecycle/name-conflicts.ts';
import { identify } from '../cluster/identity/identity.ts';
import { tieDisks } from '../cluster/lifecycle/disks.ts';
import type { ClaimedCluster } from '../cluster/lifecycle/claim.ts';
import type { Connection } from '../host/connection.ts';
import type { CreateInputs } from '../inputs.ts';
import type { JobRuntime } from '../runtime.ts';
import { connectHost } from './steps/connect-host.ts';
import { chooseInfrastructure } from './create/choose-infrastructure.ts';
import { claim, complete } from './create/claim.ts';
import { finishRegistry, makeRegistry } from './create/registry.ts';
import { handOver } from './create/hand-over.ts';
import { announce, readClock, remember } from './create/record.ts';
import { installMissing } from './create/install-missing.ts';
import { maskInputs } from './create/mask-inputs.ts';
import { planCluster } from './create/plan.ts';
import { tunnelUse } from '../cluster/tunnel/settings.ts';
import { undo } from './create/roll-back.ts';
import { useMember } from './pool/use-member.ts';
import { waitForCluster } from './create/wait.ts';
import { keepCredentials } from './steps/credentials.ts';
import { JobTunnel } from './steps/open-tunnel.ts';
import { diagnose, IN_MAIN } from './steps/diagnose.ts';

/**
 * Claims a nested cluster from a pool, or creates one, or adopts one that it may, and passes its kubeconfig to the job.
 * Errors: KNEST_HOST_*, KNEST_PERMISSION, KNEST_INPUT, KNEST_STORAGE_CLASS, KNEST_ADDRESS_POOL,
 * KNEST_UNSUPPORTED_VERSION, KNEST_DOWNLOAD, KNEST_CHECKSUM, KNEST_CNI, KNEST_INSTALL, KNEST_TEMPLATE,
 * KNEST_OWNED_BY_OTHER, KNEST_IMAGE_PULL, KNEST_UNSCHEDULABLE, KNEST_BOOTSTRAP, KNEST_INFRASTRUCTURE, KNEST_TIMEOUT,
 * KNEST_API_ACCESS, KNEST_REGISTRY. A failed create deletes what it made, unless it is to be kept.
 */
export async function create(asked: CreateInputs, runtime: JobRuntime): Promise<void> {
  maskInputs(asked, runtime.secrets);
  const host = await connectHost(asked, runtime);
  const { saved, withKubeconfig } = await keepCredentials(host, asked.name ?? 'create', runtime.directory);
  runtime.state.rememberHost(saved);
  const inputs = await chooseInfrastructure(host, asked, runtime);
  const now = await readClock(host, runtime);
  if (inputs.pool !== undefined && (await useMember(host, saved, inputs.pool, now, inputs, runtime))) return;
  const identity = identify(inputs, runtime.job, now);
  const plan = await planCluster(host, identity, inputs, runtime); // writes nothing to the host
  announce(identity, runtime);
  remember(identity, inputs, runtime); // from here on, the post step can find the cluster
  const newComponents = await installMissing(host, plan, inputs, withKubeconfig, runtime);
  if (plan.hasForeignTemplate) await checkServedObjects(host.client, plan.objects.others);
  const claimed = await claim(host.client, plan, runtime);
  runtime.outputs.set('created', String(claimed.created));
  try {
    const use = tunnelUse(saved, identity);
    const { objects, running } = await makeRegistry(host.client, plan, claimed, use, inputs, runtime);
    const made = { ...claimed, ...(await complete(host.client, { ...plan, objects }, claimed, runtime)) };
    const tunnel = new JobTunnel(host.client, identity, inputs.relayImage, { ...use, running }, runtime);
    const access =
      inputs.waitFor === 'none'
        ? undefined
        : await waitForCluster(host.client, identity, made, inputs, tunnel, runtime);
    if (inputs.persistent) await labelDisks(host, claimed, runtime); // now: others may delete the cluster
    await finishRegistry(host.client, claimed, inputs, runtime);
    const verb = claimed.created ? 'created' : 'adopted';
    await handOver(host, saved, { ...plan, made, newComponents, access, tunnel, verb }, inputs, runtime);
  } catch (thrown) {
    await diagnose(host.client, identity, IN_MAIN, runtime);
    const { keepOnFailure } = inputs;
    throw await undo(host, identity, { keepOnFailure, created: claimed.created }, thrown, runtime);
  }
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
