import { randomUUID } from 'node:crypto';
import type { ClusterFacts } from '../cluster/lifecycle/adopted.ts';
import { checkClaim, settle, type ClaimedCluster } from '../cluster/lifecycle/claim.ts';
import { prepareCni, type Cni } from '../cluster/addons/cni.ts';
import { tieDisks } from '../cluster/lifecycle/disks.ts';
import { follow } from '../cluster/status/wait.ts';
import { checkServedObjects } from '../cluster/lifecycle/name-conflicts.ts';
import { identify, type ClusterIdentity } from '../cluster/identity/identity.ts';
import { describeMachines, type MachineCounts } from '../cluster/machines/machine-counts.ts';
import type { ClusterNetworks } from '../cluster/template/networks.ts';
import { CNI_SUFFIX, resourceSet } from '../cluster/addons/resource-set.ts';
import { reviewTemplate } from '../cluster/template/template-warnings.ts';
import { allVariables, planOf, render, variables, type ClusterPlan } from '../cluster/template/plan.ts';
import { hasJoined, hasReadyNode, infrastructureOf, isInitialised, type ClusterView } from '../cluster/status/view.ts';
import { hostTime } from '../host/api/clock.ts';
import type { Connection } from '../host/connection.ts';
import type { CreateInputs } from '../inputs.ts';
import { Clusterctl, type WithKubeconfig } from '../install/clusterctl.ts';
import { knownComponents } from '../catalog/required-components.ts';
import { Downloader } from '../install/download.ts';
import { install } from '../install/install.ts';
import { describeDefaults } from '../install/variables.ts';
import { createdPage } from '../report/summary.ts';
import type { JobWorld, World } from '../world.ts';
import { claim, complete } from './claim.ts';
import { keepCredentials, type KeptCredentials } from './credentials.ts';
import { diagnose, IN_MAIN } from './diagnose.ts';
import { enterHost } from './connect-host.ts';
import { handOverKubeconfig } from './write-kubeconfig.ts';
import { maskInputs } from './input-secrets.ts';
import { preflight, type Found } from './preflight.ts';
import { undo } from './roll-back.ts';

/**
 * Creates a nested cluster, or adopts one that it may, and hands over its kubeconfig.
 * Errors: KNEST_HOST_*, KNEST_PERMISSION, KNEST_INPUT, KNEST_STORAGE_CLASS, KNEST_ADDRESS_POOL,
 * KNEST_UNSUPPORTED_VERSION, KNEST_DOWNLOAD, KNEST_CHECKSUM, KNEST_CNI, KNEST_INSTALL, KNEST_TEMPLATE,
 * KNEST_OWNED_BY_OTHER, KNEST_IMAGE_PULL, KNEST_UNSCHEDULABLE, KNEST_BOOTSTRAP, KNEST_INFRASTRUCTURE, KNEST_TIMEOUT,
 * KNEST_API_ACCESS. What a failed create made is deleted, unless it is to be kept.
 */
export async function create(inputs: CreateInputs, world: JobWorld): Promise<void> {
  maskInputs(inputs, world);
  const host = await enterHost(inputs, world);
  const downloader = new Downloader(inputs.downloads, { ...world, warn: world.log.warn });
  const cluster = identify(inputs, world.job, await readClock(host, world)); // name, owner, expiry, claim
  const found = await preflight(host, cluster, inputs, downloader, world);
  const cni = await prepare(inputs, found.networks, downloader, world);
  const kept = await remember(host, cluster, inputs, world); // the post step can find it from here on
  const clusterctl = makeClusterctl(inputs, downloader, kept.withKubeconfig, world);
  const plan = await makePlan(host, clusterctl, inputs, cluster, { ...found, cni }, world);
  await installMissing(host, clusterctl, found, world);
  if (found.template !== undefined) await checkServedObjects(host.client, plan.others);
  const claimed = await claim(host.client, plan, cluster, world);
  try {
    const made = { ...claimed, ...(await complete(host.client, plan, claimed, cluster, world)) };
    if (inputs.waitFor !== 'none') await wait(host, cluster, inputs, made, world);
    // Now, since it may be deleted without this action.
    if (inputs.persistent) {
      const { server, repositoryId } = world.job;
      const owned = { name: cluster.name, uid: claimed.cluster.metadata.uid ?? '', server, repositoryId };
      await tieDisks(host.client, cluster.namespace, [owned], world.log);
    }
    await handOver({ ...host, ...kept }, cluster, inputs, { ...made, cni }, world);
  } catch (thrown) {
    await diagnose(host.client, cluster, IN_MAIN, world);
    throw await undo(host, cluster, { ...inputs, created: claimed.created }, thrown, world);
  }
}

/** A cluster that is claimed and complete. */
type MadeCluster = ClaimedCluster & ClusterFacts;

/** The host's time, in milliseconds since the epoch: a runner's clock may be wrong, and cleanup goes by the host's. */
async function readClock({ client }: Connection, { log, signal }: World): Promise<number> {
  const { time, doubt } = await hostTime(client, signal);
  if (doubt !== undefined) log.warn(`the cluster expires by ${new Date(time).toISOString()} as the time now: ${doubt}`);
  return time;
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

/** Leaves what the post step needs, before the first write to the host. Returns how others enter the host. */
async function remember(
  host: Connection,
  cluster: ClusterIdentity,
  inputs: CreateInputs,
  world: World,
): Promise<KeptCredentials> {
  const { name, namespace, ephemeral, claim, repository, expiresAt, unsettled } = cluster;
  const { keepOnFailure } = inputs;
  const kept = await keepCredentials(host, name, world.directory);
  world.state.rememberHost(kept.saved);
  const expiry = expiresAt === undefined ? {} : { expiresAt };
  world.state.remember({ name, namespace, repository, claim, ephemeral, keepOnFailure, unsettled, ...expiry });
  world.output('name', name);
  world.output('namespace', namespace);
  world.output('expires-at', expiresAt ?? '');
  return kept;
}

function makeClusterctl(
  { infrastructure, versions, providerVariables }: CreateInputs,
  downloader: Downloader,
  withKubeconfig: WithKubeconfig,
  { run, env, directory, log }: World,
): Clusterctl {
  const clusterctlWorld = { run, env, directory, withKubeconfig, providerVariables, warn: log.warn };
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

/**
 * Renders the template, and checks before anything is installed that the name of the cluster and those of its objects
 * are free, or are those of a cluster to adopt. Of a template that is not the action's own, the log has what cannot be
 * known.
 */
async function makePlan(
  { client }: Connection,
  clusterctl: Clusterctl,
  inputs: CreateInputs,
  cluster: ClusterIdentity,
  { networks, template, cni }: Found & { readonly cni: Cni },
  { log, signal, env }: World,
): Promise<ClusterPlan> {
  return log.step('Template', async (step) => {
    const rendered = await render(clusterctl, inputs, cluster, networks, template, env);
    const plan = planOf(rendered, resourceSet(cni, cluster));
    const objects = [rendered.cluster, ...rendered.others];
    const remarks = template && reviewTemplate(template, objects, cluster.name, variables(inputs, networks));
    for (const line of remarks ?? []) step.line(line);
    if (template !== undefined) {
      const rendering = { ...template, title: `the template ${template.origin}`, input: 'template-variables' } as const;
      const given = allVariables(inputs, cluster, networks);
      for (const text of describeDefaults(rendering, given, env)) log.warn(text);
    }
    const origin = template === undefined ? '' : ` of ${template.origin}`;
    const exists = await checkClaim(client, plan, cluster, step, signal);
    const names = exists ? 'the cluster exists' : 'their names are free';
    return { value: plan, result: `${plan.others.length + 1} objects${origin}, ${names}` };
  });
}

async function wait(
  { client }: Connection,
  cluster: ClusterIdentity,
  { cni, infrastructure: asked, persistent, timeoutSeconds, waitFor }: CreateInputs,
  { cluster: object, created, machines }: MadeCluster,
  { log, signal }: World,
): Promise<void> {
  const infrastructure = infrastructureOf(object, typeof asked === 'string' ? asked : undefined);
  // An adopted cluster has the CNI that it has, whatever this create was asked for.
  const hasCni = ({ resourceSets }: ClusterView): boolean =>
    created
      ? cni.kind !== 'none'
      : resourceSets.some(({ metadata }) => metadata.name === `${cluster.name}${CNI_SUFFIX}`);
  let areReady = false;
  const isReached = (view: ClusterView): boolean => {
    areReady = waitFor === 'nodes' && hasCni(view);
    return isInitialised(view) && (waitFor === 'control-plane' || areNodes(view, machines, areReady));
  };
  const what = waitFor === 'nodes' ? 'nodes' : 'control plane';
  await log.step(`Wait for ${what}`, async (step) => {
    const goal = { infrastructure, persistent, isReached, verb: 'start', timeoutSeconds };
    await follow(client, cluster, goal, step, signal);
    return { value: undefined, result: areReady ? 'nodes: Ready' : `${what}: there` };
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
  { client, server: hostServer, saved }: Connection & KeptCredentials,
  cluster: ClusterIdentity,
  inputs: CreateInputs,
  { machines: counts, created, kubernetesVersion: version, cni }: MadeCluster & { readonly cni: Cni },
  world: World,
): Promise<void> {
  const { name, namespace, expiresAt } = cluster;
  const server =
    inputs.waitFor === 'none' ? undefined : await handOverKubeconfig(client, cluster, saved, inputs, world);
  const kubernetesVersion = version ?? `v${inputs.kubernetesVersion.text}`;
  world.output('kubernetes-version', kubernetesVersion);
  world.output('timings', JSON.stringify(world.timeline));
  const verb = created ? 'created' : 'adopted';
  const state = server === undefined ? verb : 'is ready';
  const machines = `${describeMachines(counts)}; CNI: ${created ? cni.description : 'as it was'}`;
  const { ephemeral } = inputs;
  const page = { name, namespace, state, host: hostServer, server, kubernetesVersion, machines, expiresAt, ephemeral };
  await world.summary.add(createdPage(page, world.timeline));
  // Last: until here a failure deletes the cluster again.
  if (!cluster.ephemeral) await settle(client, cluster, world.signal);
  world.state.handOver();
  world.log.line(`✔ ${name} ${state} in ${(world.timeline.elapsed / 1000).toFixed(1)} s`);
}
