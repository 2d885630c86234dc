import { randomUUID } from 'node:crypto';
import { applyCluster, claimCluster, type ClaimedCluster } from '../cluster/apply.ts';
import { prepareCni, type Cni } from '../cluster/cni.ts';
import { tieDisks } from '../cluster/disks.ts';
import { follow } from '../cluster/follow.ts';
import { checkForeignObjects } from '../cluster/foreign-objects.ts';
import { identify, type ClusterIdentity } from '../cluster/identity.ts';
import { describeMachines, type MachineCounts } from '../cluster/machine-counts.ts';
import type { ClusterNetworks } from '../cluster/networks.ts';
import { resourceSet } from '../cluster/resource-set.ts';
import { reviewTemplate } from '../cluster/review.ts';
import { render, variables, type RenderedCluster } from '../cluster/template.ts';
import { hasJoined, hasReadyNode, infrastructureOf, isInitialised, type ClusterView } from '../cluster/view.ts';
import type { Connection } from '../host/connect.ts';
import type { CreateInputs } from '../inputs.ts';
import { Clusterctl, type WithKubeconfig } from '../install/clusterctl.ts';
import { knownComponents } from '../install/components.ts';
import { Downloader } from '../install/download.ts';
import { install } from '../install/install.ts';
import { createdPage } from '../report/summary.ts';
import type { JobWorld, World } from '../world.ts';
import { keepCredentials } from './credentials.ts';
import { diagnose, IN_MAIN } from './diagnose.ts';
import { enterHost } from './enter.ts';
import { handOverKubeconfig } from './handover.ts';
import { preflight, type Found } from './preflight.ts';
import { undo } from './undo.ts';

/**
 * Creates a nested cluster, or adopts the one this job made before, and hands over its kubeconfig.
 * Errors: KNEST_HOST_*, KNEST_PERMISSION, KNEST_INPUT, KNEST_STORAGE_CLASS, KNEST_ADDRESS_POOL,
 * KNEST_UNSUPPORTED_VERSION, KNEST_DOWNLOAD, KNEST_CHECKSUM, KNEST_CNI, KNEST_INSTALL, KNEST_TEMPLATE,
 * KNEST_OWNED_BY_OTHER, KNEST_IMAGE_PULL, KNEST_UNSCHEDULABLE, KNEST_BOOTSTRAP, KNEST_INFRASTRUCTURE, KNEST_TIMEOUT,
 * KNEST_API_ACCESS. What a failed create of an ephemeral cluster made is deleted, unless it is to be kept.
 */
export async function create(inputs: CreateInputs, world: JobWorld): Promise<void> {
  if (inputs.downloads.mirrorLogin !== undefined) maskLogin(inputs.downloads.mirrorLogin, world);
  const host = await enterHost(inputs, world);
  const downloader = new Downloader(inputs.downloads, { ...world, warn: world.log.warn });
  const cluster = identify(inputs, world.job, Date.now()); // name, owner, expiry: before anything exists
  const found = await preflight(host, cluster, inputs, downloader, world);
  const cni = await prepare(inputs, found.networks, downloader, world);
  const addons = resourceSet(cni, cluster);
  const withKubeconfig = await remember(host, cluster, inputs, world); // the post step can find it from here on
  const clusterctl = makeClusterctl(inputs, downloader, withKubeconfig, world);
  await installMissing(host, clusterctl, found, world);
  const template = await makeObjects(host, clusterctl, inputs, cluster, found, world);
  const rendered = { ...template, others: [...template.others, ...addons] };
  const claimed = await claim(host, rendered, cluster, world);
  try {
    await apply(host, rendered, claimed, cluster, world);
    if (inputs.waitFor !== 'none') await wait(host, cluster, inputs, rendered, world);
    // Now, since it may be deleted without this action.
    if (inputs.persistent) {
      const { server, repositoryId } = world.job;
      const owned = { name: cluster.name, uid: claimed.uid, server, repositoryId };
      await tieDisks(host.client, cluster.namespace, [owned], world.log);
    }
    await handOver(host, cluster, inputs, { ...rendered, ...claimed, cni }, world);
  } catch (thrown) {
    await diagnose(host.client, cluster, IN_MAIN, world);
    throw await undo(host, cluster, { ...inputs, created: claimed.created }, thrown, world);
  }
}

/** Masks the password of the mirror as it is, as a URL has it, and with its user as a request sends it. */
function maskLogin(login: string, { mask }: World): void {
  const password = login.slice(login.indexOf(':') + 1);
  for (const secret of [password, encodeURIComponent(password), login]) mask(secret);
  mask(Buffer.from(login).toString('base64'));
}

/** Gets the CNI's objects before anything exists; without one, says what that means. */
async function prepare(
  inputs: CreateInputs,
  { pods }: ClusterNetworks,
  downloader: Downloader,
  { log, run, env }: World,
): Promise<Cni> {
  return log.step('CNI', async () => {
    const { clusterTemplate, infrastructure, kubernetesVersion } = inputs;
    const template = clusterTemplate === undefined && typeof infrastructure === 'string' ? infrastructure : undefined;
    const { text } = kubernetesVersion;
    const sources = { downloader, run, env, template, pods, kubernetesVersion: text };
    const cni = await prepareCni(inputs.cni, sources);
    return { value: cni, result: cni.description };
  });
}

/** Leaves what the post step needs, before the first write to the host. Returns how programs enter the host. */
async function remember(
  host: Connection,
  cluster: ClusterIdentity,
  inputs: CreateInputs,
  world: World,
): Promise<WithKubeconfig> {
  const { name, namespace, owner, expiresAt } = cluster;
  const { ephemeral, keepOnFailure } = inputs;
  const { saved, withKubeconfig } = await keepCredentials(host, name, world.directory);
  const expiry = expiresAt === undefined ? {} : { expiresAt };
  world.state.remember({ name, namespace, owner, host: saved, ephemeral, keepOnFailure, ...expiry });
  world.output('name', name);
  world.output('namespace', namespace);
  world.output('expires-at', expiresAt ?? '');
  return withKubeconfig;
}

function makeClusterctl(
  { infrastructure, versions }: CreateInputs,
  downloader: Downloader,
  withKubeconfig: WithKubeconfig,
  { run, env, directory }: World,
): Clusterctl {
  const clusterctlWorld = { run, env, directory, withKubeconfig };
  return new Clusterctl(clusterctlWorld, downloader, versions.clusterApi, knownComponents(versions, infrastructure));
}

async function installMissing(
  { client }: Connection,
  clusterctl: Clusterctl,
  { components, inventory }: Found,
  { log, job, signal, secondsLeft }: JobWorld,
): Promise<void> {
  await log.step('Install', async (step) => {
    // The legs of a matrix are one job to GitHub, and must not take each other's Lease for their own.
    const holder = `${job.repository} run ${job.runId} job ${job.jobName} ${randomUUID()}`;
    const installation = { client, clusterctl, components, inventory, holder, signal, secondsLeft };
    return { value: undefined, result: await install(installation, step) };
  });
}

/** Renders the template; of one that is not the action's own, tells what cannot be known, and looks whom it touches. */
async function makeObjects(
  { client }: Connection,
  clusterctl: Clusterctl,
  inputs: CreateInputs,
  cluster: ClusterIdentity,
  { networks, template }: Found,
  { log }: World,
): Promise<RenderedCluster> {
  const make = (): Promise<RenderedCluster> => render(clusterctl, inputs, cluster, networks, template);
  if (template === undefined) return make();
  return log.step('Template', async (step) => {
    const rendered = await make();
    const objects = [rendered.cluster, ...rendered.others];
    for (const line of reviewTemplate(template, objects, cluster.name, variables(inputs, networks))) step.line(line);
    await checkForeignObjects(client, rendered.others, cluster);
    return { value: rendered, result: `${objects.length} objects of ${template.origin}` };
  });
}

async function claim(
  { client }: Connection,
  rendered: RenderedCluster,
  cluster: ClusterIdentity,
  { log, signal, output }: World,
): Promise<ClaimedCluster> {
  return log.step('Claim', async (step) => {
    const claimed = await claimCluster(client, rendered, cluster, step, signal);
    output('created', String(claimed.created));
    const verb = claimed.created ? 'is created' : 'was there, and is adopted';
    return { value: claimed, result: `Cluster ${cluster.namespace}/${cluster.name} ${verb}` };
  });
}

async function apply(
  { client }: Connection,
  rendered: RenderedCluster,
  claimed: ClaimedCluster,
  cluster: ClusterIdentity,
  { log, signal }: World,
): Promise<void> {
  await log.step('Apply', async () => {
    await applyCluster(client, rendered, claimed, signal);
    const expiry = cluster.expiresAt === undefined ? 'never expires' : `expires ${cluster.expiresAt}`;
    return { value: undefined, result: `${rendered.others.length + 1} objects, ${expiry}` };
  });
}

async function wait(
  { client }: Connection,
  cluster: ClusterIdentity,
  { cni, infrastructure: asked, persistent, timeoutSeconds, waitFor }: CreateInputs,
  rendered: RenderedCluster,
  { log, signal }: World,
): Promise<void> {
  const infrastructure = infrastructureOf(rendered.cluster, typeof asked === 'string' ? asked : undefined);
  const hasCni = cni.kind !== 'none';
  const isReached = (view: ClusterView): boolean =>
    isInitialised(view) && (waitFor === 'control-plane' || areNodes(view, rendered.machines, hasCni));
  const what = waitFor === 'nodes' ? 'nodes' : 'control plane';
  await log.step(`Wait for ${what}`, async (step) => {
    const goal = { infrastructure, persistent, isReached, verb: 'start', timeoutSeconds };
    await follow(client, cluster, goal, step, signal);
    return { value: undefined, result: waitFor === 'nodes' && hasCni ? 'nodes: Ready' : `${what}: there` };
  });
}

/**
 * Whether all machines that were asked for are nodes, with a CNI Ready ones; where it is not known how many, whether
 * all that there are.
 */
function areNodes(view: ClusterView, { controlPlane, workers }: MachineCounts, hasCni: boolean): boolean {
  const nodes = view.machines.filter(hasJoined);
  const joined = (hasCni ? nodes.filter(hasReadyNode) : nodes).length;
  const isKnown = controlPlane !== undefined && workers !== undefined;
  return joined >= (controlPlane ?? 0) + (workers ?? 0) && (isKnown || joined === view.machines.length);
}

/** Gives the job its cluster: kubeconfig, outputs, summary. */
async function handOver(
  host: Connection,
  cluster: ClusterIdentity,
  inputs: CreateInputs,
  { machines: counts, created, cni }: RenderedCluster & ClaimedCluster & { readonly cni: Cni },
  world: World,
): Promise<void> {
  const { name, namespace, expiresAt } = cluster;
  const server = inputs.waitFor === 'none' ? undefined : await handOverKubeconfig(host.client, cluster, inputs, world);
  const kubernetesVersion = `v${inputs.kubernetesVersion.text}`;
  world.output('kubernetes-version', kubernetesVersion);
  world.output('timings', JSON.stringify(world.timeline));
  const verb = created ? 'created' : 'adopted';
  const state = server === undefined ? verb : 'is ready';
  const machines = `${describeMachines(counts)}; CNI: ${cni.description}`;
  const { ephemeral } = inputs;
  const page = { name, namespace, state, host: host.server, server, kubernetesVersion, machines, expiresAt, ephemeral };
  await world.summary.add(createdPage(page, world.timeline));
  world.log.line(`✔ ${name} ${state} in ${(world.timeline.elapsed / 1000).toFixed(1)} s`);
}
