import { KnestError } from '../errors.ts';
import type { KubernetesClient } from '../host/client.ts';
import { groupOfDefinition, Kinds } from '../host/kinds.ts';
import { hasStatus } from '../host/rest.ts';
import { conditionOf, type DaemonSet, type Deployment, type Provider } from '../host/objects.ts';
import { parseVersion } from '../values/version.ts';
import { atVersion, clusterApiProblem, type Component, type ProviderComponent, type Workload } from './components.ts';

/** What the host has of a component. */
export type ComponentState =
  | { readonly state: 'absent' }
  /** Something of it is there, but not all, or not running: `missing` says what, one line each. */
  | { readonly state: 'incomplete'; readonly version: string; readonly missing: readonly string[] }
  | { readonly state: 'installed'; readonly version: string };

/** What the host has, read once: four LISTs, whatever the number of components. */
export interface Inventory {
  /** The providers that clusterctl recorded. */
  readonly providers: readonly Provider[];
  /** Names of CustomResourceDefinitions. */
  readonly definitions: ReadonlySet<string>;
  readonly deployments: readonly Deployment[];
  readonly daemonSets: readonly DaemonSet[];
}

/** What is installed on the host; undefined when these credentials may not look. Throws what RestClient throws. */
export async function takeInventory(client: KubernetesClient): Promise<Inventory | undefined> {
  try {
    return await readInventory(client);
  } catch (thrown) {
    if (hasStatus(thrown, 403)) return undefined;
    throw thrown;
  }
}

async function readInventory(client: KubernetesClient): Promise<Inventory> {
  const [providers, definitions, deployments, daemonSets] = await Promise.all([
    client.list(Kinds.provider),
    client.names(Kinds.customResourceDefinition),
    client.list(Kinds.deployment),
    client.list(Kinds.daemonSet),
  ]);
  return { providers, definitions: new Set(definitions), deployments, daemonSets };
}

/**
 * Compares a component with the inventory. A component is installed when its CRD, its record (of a provider) and
 * all its workloads are there and available; a record alone proves nothing, since an installer may have been killed.
 */
export function stateOf(component: Component, inventory: Inventory): ComponentState {
  const record = recordOf(component, inventory);
  const workloads = component.workloads.map((workload) => ({ workload, problem: problemOf(workload, inventory) }));
  const hasDefinition = component.crd === undefined ? record !== undefined : inventory.definitions.has(component.crd);
  const untouched =
    !hasDefinition && record === undefined && workloads.every(({ problem }) => problem === 'is not there');
  if (untouched) return { state: 'absent' };

  const version = record?.version ?? versionOf(component, inventory) ?? component.version;
  const missing = [
    ...(hasDefinition || component.crd === undefined ? [] : [`the CRD ${component.crd} is not there`]),
    ...(component.workloads.length === 0 ? ['none of its Deployments is there'] : []),
    ...(component.installer === 'clusterctl' && record === undefined ? ['clusterctl has no record of it'] : []),
    ...workloads.flatMap(({ workload: { kind, namespace, name }, problem }) =>
      problem === undefined ? [] : [`${kind} ${namespace}/${name} ${problem}`],
    ),
  ];
  return missing.length === 0 ? { state: 'installed', version } : { state: 'incomplete', version, missing };
}

/**
 * Who a workload that clusterctl installed belongs to, on its pods too. Source: cluster-api
 * cmd/clusterctl/api/v1alpha3/labels.go, its `generate provider`, and "Provider contract", labels.
 */
export const PROVIDER_LABEL = 'cluster.x-k8s.io/provider';

/**
 * The components as they are to be on this host. Parts of Cluster API belong together: what is missing of it comes in
 * the version that is there. A provider that is known by name alone consists of the Deployments with its label.
 */
export function asFound(components: readonly Component[], inventory: Inventory): readonly Component[] {
  const core = components.find(isCore);
  const version = parseVersion((core && recordOf(core, inventory)?.version) ?? '');
  return components.map((component) => {
    if (component.workloads.length === 0 && component.installer === 'clusterctl') {
      return { ...component, workloads: labelled(component, inventory) };
    }
    const belongs = component.manifest.repository === core?.manifest.repository;
    return version !== undefined && belongs ? atVersion(component, `v${version.text}`) : component;
  });
}

/** What the host has of each component, each as it is to be on this host. */
export function statesOf(
  components: readonly Component[],
  inventory: Inventory,
): readonly { readonly component: Component; readonly found: ComponentState }[] {
  return asFound(components, inventory).map((component) => ({ component, found: stateOf(component, inventory) }));
}

function isCore(component: Component): boolean {
  return component.installer === 'clusterctl' && component.provider.type === 'CoreProvider';
}

function labelled({ provider }: ProviderComponent, { deployments }: Inventory): readonly Workload[] {
  return deployments
    .filter(({ metadata }) => metadata.labels?.[PROVIDER_LABEL] === `infrastructure-${provider.name}`)
    .map(({ metadata }) => ({ kind: 'Deployment', namespace: metadata.namespace ?? '', name: metadata.name }));
}

/**
 * Checks, for credentials that may not take an inventory, that the host serves the API of every component: that is for
 * everybody to see. Throws KNEST_PERMISSION with those that are missing.
 */
export async function checkServed(client: KubernetesClient, components: readonly Component[]): Promise<void> {
  const served = await client.groups();
  const missing = components.filter(({ crd }) => crd !== undefined && !served.has(groupOfDefinition(crd)));
  if (missing.length === 0) return;
  throw new KnestError({
    code: 'KNEST_PERMISSION',
    problem: `the host lacks ${missing.map(({ title }) => title).join(', ')}, and these credentials may not install it`,
    next: 'run this once with an account that docs/rbac/install.yaml of knest-action is bound to',
  });
}

/** The known providers that clusterctl recorded on the host, each in the version that is there. */
export function recordedProviders(known: readonly Component[], inventory: Inventory): readonly ProviderComponent[] {
  return known.flatMap((component) => {
    const version = recordOf(component, inventory)?.version;
    return component.installer === 'clusterctl' && version !== undefined ? [atVersion(component, version)] : [];
  });
}

function recordOf(component: Component, inventory: Inventory): Provider | undefined {
  if (component.installer !== 'clusterctl') return undefined;
  const { name, type } = component.provider;
  return inventory.providers.find((provider) => provider.providerName === name && provider.type === type);
}

/** The tag of the running image: what says the version where no record does. */
function versionOf(component: Component, inventory: Inventory): string | undefined {
  const [first] = component.workloads;
  const workload = [...inventory.deployments, ...inventory.daemonSets].find(
    ({ metadata }) => metadata.name === first?.name && metadata.namespace === first.namespace,
  );
  const image = workload?.spec?.template?.spec?.containers?.[0]?.image;
  return /:(v\d[^@]*)/.exec(image ?? '')?.[1];
}

function problemOf(workload: Workload, inventory: Inventory): string | undefined {
  const isIt = ({ metadata }: Deployment | DaemonSet): boolean =>
    metadata.name === workload.name && metadata.namespace === workload.namespace;
  if (workload.kind === 'Deployment') return deploymentProblem(inventory.deployments.find(isIt));
  return daemonSetProblem(inventory.daemonSets.find(isIt));
}

/** Why a Deployment does not run, as the end of a sentence; undefined when it does. */
export function deploymentProblem(deployment: Deployment | undefined): string | undefined {
  if (deployment === undefined) return 'is not there';
  const available = conditionOf(deployment, 'Available');
  return available?.status === 'True' ? undefined : `is not available (${available?.message ?? 'no status yet'})`;
}

/** Why a DaemonSet does not run, as the end of a sentence; undefined when it does on at least one node. */
export function daemonSetProblem(daemonSet: DaemonSet | undefined): string | undefined {
  if (daemonSet === undefined) return 'is not there';
  const { numberReady = 0, desiredNumberScheduled = 0 } = daemonSet.status ?? {};
  return numberReady > 0 ? undefined : `runs on 0 of ${desiredNumberScheduled} nodes`;
}

/**
 * What the host has of the components, for people, and whether that is all of them. Throws KNEST_UNSUPPORTED_VERSION
 * for an installed Cluster API that serves either no v1beta2 API or no v1beta1 contract: it is never changed behind
 * its owner's back.
 */
export function describeInventory(
  components: readonly Component[],
  inventory: Inventory,
): { readonly text: string; readonly isComplete: boolean } {
  const states = statesOf(components, inventory);
  for (const { component, found } of states) refuseUnsupported(component, found);
  const isComplete = states.every(({ found }) => found.state === 'installed');
  const parts = states
    .filter(
      ({ component }) =>
        component.installer !== 'clusterctl' || !/^(Bootstrap|ControlPlane)/.test(component.provider.type),
    )
    .map(({ component, found }) =>
      found.state === 'absent' ? `no ${component.title}` : `${component.title} ${found.version}`,
    );
  return { text: parts.join(', '), isComplete };
}

function refuseUnsupported(component: Component, found: ComponentState): void {
  if (!isCore(component)) return;
  const version = found.state === 'absent' ? undefined : parseVersion(found.version);
  if (version === undefined) return;
  const problem = clusterApiProblem(version);
  if (problem === undefined) return;
  throw new KnestError({
    code: 'KNEST_UNSUPPORTED_VERSION',
    problem: `the host has Cluster API v${version.text}, which ${problem}`,
    next: 'use a host with Cluster API v1.11 to v1.15',
  });
}
