import { addonRisks, prepareAddons, withoutMetrics } from '../../cluster/addons/addons.ts';
import { prepareCni } from '../../cluster/addons/cni.ts';
import type { Manifest } from '../../cluster/addons/manifest.ts';
import { resourceSet, type Installed } from '../../cluster/addons/resource-set.ts';
import type { ClusterIdentity } from '../../cluster/identity/identity.ts';
import { checkClaim } from '../../cluster/lifecycle/claim.ts';
import type { ClusterNetworks } from '../../cluster/template/networks.ts';
import { allVariables, planOf, render, variables, type ClusterObjects } from '../../cluster/template/plan.ts';
import { reviewTemplate } from '../../cluster/template/template-warnings.ts';
import type { Component } from '../../catalog/components/component.ts';
import { knownComponents } from '../../catalog/components/required-components.ts';
import type { Connection } from '../../host/connection.ts';
import type { ChosenInputs } from '../../inputs.ts';
import { Clusterctl } from '../../install/clusterctl.ts';
import { Downloader } from '../../install/download.ts';
import type { Inventory } from '../../install/inventory.ts';
import { describeDefaults } from '../../install/variables.ts';
import type { Runtime } from '../../runtime.ts';
import { preflight, type Found } from './preflight.ts';
import { checkRegistry } from './registry-check.ts';

/** Everything that can be known about a cluster before anything is written to the host. */
export interface CreatePlan {
  /** Name, owner, expiry and claim. */
  readonly identity: ClusterIdentity;
  readonly objects: ClusterObjects;
  readonly installed: Installed;
  /** What the host must have installed. */
  readonly components: readonly Component[];
  /** What the host has installed; undefined when these credentials may not look. */
  readonly inventory: Inventory | undefined;
  /** Whether the objects are those of the user's template: their kinds are known once everything is installed. */
  readonly hasForeignTemplate: boolean;
  /** Installs the components. */
  readonly clusterctl: Clusterctl;
}

/** Plans a cluster: looks at the host, downloads what the plan needs, and writes nothing to the host. Errors: see create. */
export async function planCluster(
  host: Connection,
  identity: ClusterIdentity,
  inputs: ChosenInputs,
  runtime: Runtime,
): Promise<CreatePlan> {
  const { env, run, directory, report } = runtime;
  const { infrastructure, versions, providerVariables } = inputs;
  const { warn } = report.log;
  const downloader = downloaderFor(inputs, runtime);
  const known = knownComponents(versions, infrastructure);
  const clusterctlRuntime = { run, env, directory, providerVariables, warn };
  const clusterctl = new Clusterctl(clusterctlRuntime, downloader, versions.clusterApi, known);
  const found = await preflight(host, identity, inputs, downloader, runtime);
  const cni = await planCni(inputs, found.networks, downloader, runtime);
  const installed = { cni, addons: await planAddons(inputs, downloader, runtime) };
  const objects = await planObjects(host, { clusterctl, found, installed }, identity, inputs, runtime);
  await checkRegistry(host.client, identity, objects, inputs, runtime);
  const { components, inventory, template } = found;
  return {
    identity,
    objects,
    installed,
    components,
    inventory,
    hasForeignTemplate: template !== undefined,
    clusterctl,
  };
}

/** What downloads for a cluster with these inputs. */
export function downloaderFor(
  { downloads }: Pick<ChosenInputs, 'downloads'>,
  { env, directory, report: { log }, clock: { signal } }: Runtime,
): Downloader {
  return new Downloader(downloads, { env, directory, signal, warn: log.warn });
}

/** Gets the CNI's objects before anything exists; without a CNI, logs what that means. */
async function planCni(
  { cni: asked, clusterTemplate, infrastructure, kubernetesVersion }: ChosenInputs,
  { pods }: ClusterNetworks,
  downloader: Downloader,
  { run, env, report: { log } }: Runtime,
): Promise<Manifest> {
  return log.step('CNI', async () => {
    const template = clusterTemplate === undefined && typeof infrastructure === 'string' ? infrastructure : undefined;
    const { text } = kubernetesVersion;
    const cni = await prepareCni(asked, { downloader, run, env, template, pods, kubernetesVersion: text });
    return { value: cni, result: cni.description };
  });
}

/** Gets the objects of the add-ons before anything exists. */
export async function planAddons(
  { addons: asked, cni, infrastructure, workers, kubernetesVersion, waitFor }: ChosenInputs,
  downloader: Downloader,
  { report: { log } }: Runtime,
): Promise<Manifest> {
  const prepare = (): Promise<Manifest> => prepareAddons(asked, { downloader, workers: workers.count });
  if (asked.length === 0) return prepare();
  return log.step('Add-ons', async (step) => {
    const addons = await prepare();
    for (const line of addonRisks(asked, kubernetesVersion.minor, waitFor)) step.line(line);
    // Machines in memory run no pods with a CNI either.
    const warning = infrastructure === 'in-memory' ? undefined : withoutMetrics(asked, cni);
    if (warning !== undefined) log.warn(warning);
    return { value: addons, result: addons.description };
  });
}

/** What the objects of a cluster depend on. */
interface ObjectSources {
  readonly clusterctl: Clusterctl;
  readonly found: Found;
  readonly installed: Installed;
}

/**
 * Renders the template, and checks that the names of the cluster and its objects are free, or are those of a cluster to
 * adopt. For a user's template, logs what the action cannot know about it.
 */
async function planObjects(
  { client }: Connection,
  { clusterctl, found: { networks, template }, installed }: ObjectSources,
  identity: ClusterIdentity,
  inputs: ChosenInputs,
  { env, report: { log }, clock: { signal } }: Runtime,
): Promise<ClusterObjects> {
  return log.step('Template', async (step) => {
    const rendered = await render({ clusterctl, template, env }, inputs, identity, networks);
    const objects = planOf(rendered, resourceSet(installed, identity), inputs.registry !== undefined);
    if (template !== undefined) {
      const all = [rendered.cluster, ...rendered.others];
      for (const line of reviewTemplate(template, all, identity.name, variables(inputs, networks))) step.line(line);
      const rendering = { ...template, title: `the template ${template.origin}`, input: 'template-variables' } as const;
      const given = allVariables(inputs, identity, networks);
      for (const text of describeDefaults(rendering, given, env)) log.warn(text);
    }
    const exists = await checkClaim(client, objects, identity, step, signal);
    const origin = template === undefined ? '' : ` of ${template.origin}`;
    const names = exists ? 'the cluster exists' : 'their names are free';
    return { value: objects, result: `${objects.others.length + 1} objects${origin}, ${names}` };
  });
}
