import { readFile } from 'node:fs/promises';
import { KnestError, messageOf } from '../errors.ts';
import { applyAll } from '../host/api/apply.ts';
import type { KubernetesClient } from '../host/api/client.ts';
import { isConflict } from '../host/api/conflict.ts';
import { withLease } from './lease.ts';
import { parseManifest } from '../host/api/manifest.ts';
import { ensureNamespace } from '../host/namespaces.ts';
import type { KubernetesObject } from '../host/api/objects.ts';
import { retry } from '../retry.ts';
import type { StepLog } from '../report/log.ts';
import { together } from '../values/concurrency.ts';
import { waitForWorkloads } from './availability.ts';
import { INSTALL_LEASE, noteBegun, noteComplete, readBegun } from './unfinished-install.ts';
import type { Clusterctl, WithKubeconfig } from './clusterctl.ts';
import { assetsOf, type Component, type Workload } from '../catalog/components/component.ts';
import { isCertManager, isEmpty, isProvider, needed, planInstallation, type InstallPlan } from './install-plan.ts';
import { asFound, isForeignCore, recordedProviders, statesOf, takeInventory, type Inventory } from './inventory.ts';
import { privilegedNamespaces } from './pod-security.ts';

/** What installing needs. */
export interface Installation {
  readonly client: KubernetesClient;
  readonly clusterctl: Clusterctl;
  readonly withKubeconfig: WithKubeconfig;
  /** Names this job to others that wait for it. */
  readonly holder: string;
  readonly signal: AbortSignal;
  /** Those that have to be there in the end. */
  readonly components: readonly Component[];
  /** What the host had when it was looked at; undefined when these credentials may not look, nor install. */
  readonly inventory: Inventory | undefined;
  /** Seconds that are left for it. */
  readonly secondsLeft: () => number;
}

/** How an installation ended. */
export interface Installed {
  /** The components that it installed or completed, in the versions that it did. */
  readonly installed: readonly Component[];
  /** One line about it. */
  readonly result: string;
}

/**
 * Installs the missing components, and nothing else, while no other job installs. What is installed stays as it is:
 * install waits for a component that does not run at the moment, and refuses one that is only partly installed, unless
 * this action began to install it. Throws KNEST_INSTALL, KNEST_DOWNLOAD, KNEST_CHECKSUM.
 */
export async function install(installation: Installation, log: StepLog): Promise<Installed> {
  const { client, clusterctl, components, holder, signal } = installation;
  if (installation.inventory === undefined) {
    return { installed: [], result: 'cannot list installed components; using them as they are' };
  }
  const inventory = await withoutHalves(client, components, installation.inventory, signal);
  const first = planInstallation(components, inventory);
  if (isEmpty(first)) {
    await waitForWorkloads(client, first.unavailable, log, signal);
    return { installed: [], result: 'nothing missing' };
  }
  const recorded = recordedProviders(clusterctl.components, inventory);
  await clusterctl.stock(needed(first, components), recorded);
  const waiting = (other: string): void => log.line(`waiting for ${other}, which is installing on this host`);
  return withLease(client, INSTALL_LEASE, holder, signal, waiting, async (held) => {
    const current = await withoutHalves(client, components, (await takeInventory(client)) ?? inventory, held);
    const plan = planInstallation(components, current);
    const others = asFound(components, current);
    if (isEmpty(plan)) {
      await waitForWorkloads(client, plan.unavailable, log, held);
      return { installed: [], result: 'another job installed what was missing' };
    }
    for (const { title, version } of plan.absent) log.line(`${title} ${version} is missing`);
    for (const { title, version } of plan.incomplete) log.line(`${title} ${version} is incomplete`);
    const knowsAll = recordedProviders(clusterctl.components, current).length === current.providers.length;
    const begun = [...plan.absent, ...plan.incomplete];
    await noteBegun(client, begun, held);
    // The Lease is released when all of this has ended, clusterctl too: another job begins then.
    await together(
      [
        (stop) => carryOut(plan, { ...until(installation, stop), components: others }, current, knowsAll, log),
        (stop) => waitForWorkloads(client.until(stop), others, log, stop),
      ],
      held,
    );
    await noteComplete(client, begun, held);
    return { installed: begun, result: begun.map(({ title, version }) => `${title} ${version}`).join(', ') };
  });
}

/** The same installation, until another signal aborts. */
function until(installation: Installation, signal: AbortSignal): Installation {
  return { ...installation, client: installation.client.until(signal), signal };
}

/**
 * The inventory, once nothing is incomplete that this action did not start: another tool may be installing it right
 * now, so it is looked at a few times. Throws KNEST_INSTALL when a half stays.
 */
async function withoutHalves(
  client: KubernetesClient,
  components: readonly Component[],
  first: Inventory,
  signal: AbortSignal,
): Promise<Inventory> {
  let next: Inventory | undefined = first;
  const tryOnce = async (): Promise<Inventory> => {
    const seen = next ?? (await takeInventory(client)) ?? first;
    next = undefined;
    if (statesOf(components, seen).every(({ found }) => found.state !== 'incomplete')) return seen;
    const inventory = { ...seen, begun: await readBegun(client) };
    for (const { component, found } of statesOf(components, inventory)) {
      if (found.state === 'incomplete' && !found.isBegun) throw halfInstalled(component, found.missing);
    }
    return inventory;
  };
  return retry(tryOnce, {
    signal,
    isRetried: (thrown) => thrown instanceof KnestError && thrown.code === 'KNEST_INSTALL',
  });
}

function halfInstalled({ title }: Component, missing: readonly string[]): KnestError {
  return new KnestError({
    code: 'KNEST_INSTALL',
    problem: `${title} is only partly installed on this host, and not by this action`,
    evidence: missing,
    next: `ask its administrator to complete it, or to remove it with its CustomResourceDefinitions; the action does not change what others installed`,
  });
}

/** Everything at once that does not need another: providers and Virtink need cert-manager's webhook, and nothing else. */
async function carryOut(
  plan: InstallPlan,
  installation: Installation,
  inventory: Inventory,
  validate: boolean,
  log: StepLog,
): Promise<void> {
  const { client, clusterctl, components, secondsLeft, signal, withKubeconfig } = installation;
  // Without its own record of a core provider, `clusterctl init` installs one; so it does not run beside such a core.
  const isInitSafe = !components.some((component) => isForeignCore(component, inventory));
  const missing = plan.absent.filter(isProvider);
  const providers = isInitSafe ? missing : [];
  const applied = [
    ...plan.incomplete,
    ...plan.absent.filter(({ installer }) => installer === 'manifest'),
    ...(isInitSafe ? [] : missing),
    // `clusterctl init` brings cert-manager; without a provider to install it is not called.
    ...(providers.length === 0 ? plan.absent.filter(isCertManager) : []),
  ];
  // What clusterctl applied for this action is completed over its fields; anything else is never forced.
  const isOurs = (component: Component): boolean => plan.incomplete.includes(component);
  for (const component of applied.filter(isCertManager)) {
    await applyManifest(installation, component, isOurs(component), log);
  }
  const others = applied.filter((component) => !isCertManager(component));
  const applyOthers = async (stop: AbortSignal): Promise<void> => {
    await waitForWorkloads(client.until(stop), components.filter(isCertManager), undefined, stop);
    await together(
      others.map(
        (component) => (within) => applyManifest(until(installation, within), component, isOurs(component), log),
      ),
      stop,
    );
  };
  await together(
    [
      ...(providers.length > 0
        ? [
            (stop: AbortSignal) =>
              clusterctl.init(providers, { withKubeconfig, timeoutSeconds: secondsLeft(), validate, stop }),
          ]
        : []),
      ...(others.length > 0 ? [applyOthers] : []),
    ],
    signal,
  );
}

async function applyManifest(
  { client, clusterctl, signal }: Installation,
  component: Component,
  force: boolean,
  log: StepLog,
): Promise<void> {
  const texts =
    component.installer === 'clusterctl'
      ? [await clusterctl.providerManifest(component)]
      : await Promise.all(assetsOf(component).map((asset) => readFile(clusterctl.file(component, asset), 'utf8')));
  const manifests = texts.map(parseManifest);
  const namespace = component.installer === 'manifest' ? component.namespace : undefined;
  try {
    // What the manifest has besides a namespace is applied; the namespace itself stays as it is where there is one.
    const privileged = privilegedNamespaces(manifests.flat());
    for (const name of new Set([...privileged, ...(namespace === undefined ? [] : [namespace])])) {
      await ensureNamespace(client, name, {
        isPrivileged: privileged.has(name),
        signal,
        onWait: (line) => log.line(line),
      });
    }
    for (const objects of manifests) await applyAll(client, objects, signal, force);
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    throw new KnestError({
      code: 'KNEST_INSTALL',
      problem: `${component.title} ${component.version} cannot be applied: ${messageOf(thrown)}`,
      next: isConflict(thrown)
        ? 'the action does not take over fields that another manager owns: use that manager to install or remove the component'
        : 'check that these credentials may install it; running again completes what is missing',
      cause: thrown,
    });
  }
  // What is known by name alone is not among the workloads that are waited for anyway.
  if (component.crd === undefined)
    await waitForWorkloads(client, [{ ...component, workloads: deploymentsOf(manifests.flat()) }], undefined, signal);
}

function deploymentsOf(objects: readonly KubernetesObject[]): readonly Workload[] {
  return objects
    .filter(({ kind }) => kind === 'Deployment')
    .map(({ metadata: { name, namespace = '' } }) => ({ kind: 'Deployment', namespace, name }));
}
