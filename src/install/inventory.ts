import { KnestError } from '../errors.ts';
import type { KubernetesClient } from '../host/api/client.ts';
import { Kinds } from '../host/api/kinds.ts';
import { hasStatus } from '../host/api/api-error.ts';
import type { Provider } from '../host/api/cluster-api-objects.ts';
import type { DaemonSet, Deployment } from '../host/api/objects.ts';
import { parseVersion } from '../values/version.ts';
import type { Begun } from './unfinished-install.ts';
import { daemonSetProblem, deploymentProblem } from './workload-problem.ts';
import {
  atVersion,
  PROVIDER_LABEL,
  qualifiedName,
  type Component,
  type ProviderComponent,
  type Workload,
} from '../catalog/components/component.ts';
import {
  clusterApiProblem,
  contractOf,
  isInfrastructureProvider,
  versionProblem,
  type ContractOf,
} from '../catalog/components/supported-versions.ts';

/** What the host has of a component. */
export type ComponentState =
  | { readonly state: 'absent' }
  /** Something of it is there, but not all: `missing` has what is not, one line each. */
  | {
      readonly state: 'incomplete';
      readonly version: string;
      readonly missing: readonly string[];
      /** Whether this action began to install it: nothing else is ever completed. */
      readonly isBegun: boolean;
    }
  /** All of it is there, and not all of it runs at the moment: `problems` has what does not, one line each. */
  | { readonly state: 'unavailable'; readonly version: string; readonly problems: readonly string[] }
  | { readonly state: 'installed'; readonly version: string };

/** What the host has, read once: four LISTs, whatever the number of components. */
export interface Inventory {
  /** The providers that clusterctl recorded. */
  readonly providers: readonly Provider[];
  /** The labels of CustomResourceDefinitions, by their names. */
  readonly definitions: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly deployments: readonly Deployment[];
  readonly daemonSets: readonly DaemonSet[];
  /** What this action began to install: only known, and only of interest, where something is there by half. */
  readonly begun: Begun;
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
    client.metadata(Kinds.customResourceDefinition),
    client.list(Kinds.deployment),
    client.list(Kinds.daemonSet),
  ]);
  const labels = new Map(definitions.map((definition) => [definition.name, definition.labels ?? {}]));
  return { providers, definitions: labels, deployments, daemonSets, begun: new Map() };
}

/**
 * Compares a component, as `asFound` gives it, with the inventory. Its CRD and its workloads show that it is installed; a
 * record of clusterctl proves nothing, since an installer may have been killed.
 */
export function stateOf(component: Component, inventory: Inventory): ComponentState {
  const { title, crd, workloads } = component;
  const record = recordOf(component, inventory);
  const hasDefinition = crd === undefined || inventory.definitions.has(crd);
  const isThere = (workload: Workload): boolean => objectAt(workload, inventory) !== undefined;
  const isSeen = (crd !== undefined && hasDefinition) || record !== undefined || workloads.some(isThere);
  if (!isSeen) return { state: 'absent' };

  const begun = inventory.begun.get(title);
  const version = begun ?? record?.version ?? imageVersion(workloads[0], inventory) ?? component.version;
  const missing = [
    ...(hasDefinition ? [] : [`the CRD ${crd} is missing`]),
    ...(workloads.length === 0 ? ['all its Deployments are missing'] : []),
    ...workloads.filter((workload) => !isThere(workload)).map((workload) => `${describe(workload)} is missing`),
  ];
  if (missing.length > 0) return { state: 'incomplete', version, missing, isBegun: begun !== undefined };
  const problems = workloads.flatMap((workload) => {
    const problem = problemOf(workload, inventory);
    return problem === undefined ? [] : [`${describe(workload)} ${problem}`];
  });
  return problems.length === 0 ? { state: 'installed', version } : { state: 'unavailable', version, problems };
}

function describe({ kind, namespace, name }: Workload): string {
  return `${kind} ${namespace}/${name}`;
}

/**
 * The components as they are to be on this host. Workloads are where they are found, under the names that they have
 * there. Parts of Cluster API belong together: what is missing of it comes in the version that is there. A provider that
 * is known by name alone consists of the Deployments with its label.
 */
export function asFound(components: readonly Component[], inventory: Inventory): readonly Component[] {
  const located = components.map((component) => ({ ...component, workloads: locate(component, inventory) }));
  const core = located.find(isCore);
  const state = core && stateOf(core, inventory);
  const version = state === undefined || state.state === 'absent' ? undefined : parseVersion(state.version);
  return located.map((component) => {
    const belongs = component.manifest.repository === core?.manifest.repository;
    return version !== undefined && belongs ? atVersion(component, `v${version.text}`) : component;
  });
}

/** The workloads of a component on this host: each where its manifest puts it, else where its labels are found. */
function locate(component: Component, inventory: Inventory): readonly Workload[] {
  if (component.workloads.length === 0 && component.installer === 'clusterctl') {
    const labels = { [PROVIDER_LABEL]: qualifiedName(component.provider) };
    return inventory.deployments.filter(hasLabels(labels)).map((object) => at({ kind: 'Deployment' }, object));
  }
  return component.workloads.map((workload) => {
    if (workload.labels === undefined || objectAt(workload, inventory) !== undefined) return workload;
    const elsewhere = objectsOf(workload, inventory).find(hasLabels(workload.labels));
    return elsewhere === undefined ? workload : at(workload, elsewhere);
  });
}

function at<W extends Pick<Workload, 'kind'>>(workload: W, { metadata }: Deployment | DaemonSet): W & Workload {
  return { ...workload, namespace: metadata.namespace ?? '', name: metadata.name };
}

function hasLabels(wanted: Readonly<Record<string, string>>) {
  return ({ metadata: { labels = {} } }: Deployment | DaemonSet): boolean =>
    Object.entries(wanted).every(([label, value]) => labels[label] === value);
}

function objectsOf({ kind }: Workload, { deployments, daemonSets }: Inventory): readonly (Deployment | DaemonSet)[] {
  return kind === 'Deployment' ? deployments : daemonSets;
}

/** The object of a workload on the host; undefined when it is missing. */
export function objectAt(workload: Workload, inventory: Inventory): Deployment | DaemonSet | undefined {
  return objectsOf(workload, inventory).find(isAt(workload));
}

function isAt({ namespace, name }: Workload) {
  return ({ metadata }: Deployment | DaemonSet): boolean => metadata.name === name && metadata.namespace === namespace;
}

/** What the host has of each component, each as it is to be on this host. */
export function statesOf(
  components: readonly Component[],
  inventory: Inventory,
): readonly { readonly component: Component; readonly found: ComponentState }[] {
  return asFound(components, inventory).map((component) => ({ component, found: stateOf(component, inventory) }));
}

/** Whether a component is the core of Cluster API, and on the host without a record of clusterctl. */
export function isForeignCore(component: Component, inventory: Inventory): boolean {
  const isThere = stateOf(component, inventory).state !== 'absent';
  return isCore(component) && isThere && recordOf(component, inventory) === undefined;
}

/** Whether a component is the core of Cluster API. */
export function isCore(component: Component): boolean {
  return component.installer === 'clusterctl' && component.provider.type === 'CoreProvider';
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

/** The tag of a workload's image: its version where no record has one. */
function imageVersion(workload: Workload | undefined, inventory: Inventory): string | undefined {
  const object = workload && objectAt(workload, inventory);
  const image = object?.spec?.template?.spec?.containers?.[0]?.image;
  return /:(v\d[^@]*)/.exec(image ?? '')?.[1];
}

function problemOf(workload: Workload, { deployments, daemonSets }: Inventory): string | undefined {
  return workload.kind === 'Deployment'
    ? deploymentProblem(deployments.find(isAt(workload)))
    : daemonSetProblem(daemonSets.find(isAt(workload)));
}

/**
 * What the host has of the components, for people, and whether that is all of them. Throws KNEST_UNSUPPORTED_VERSION
 * for a Cluster API without the v1beta2 API, or without the contract of the infrastructure provider: what is installed
 * is never changed behind its owner's back.
 */
export function describeInventory(
  components: readonly Component[],
  inventory: Inventory,
): { readonly text: string; readonly isComplete: boolean } {
  const states = statesOf(components, inventory);
  const contracts = contractsOf(states, inventory);
  for (const { component, found } of states) refuseUnsupported(component, found, contracts);
  const isComplete = states.every(({ found }) => found.state === 'installed' || found.state === 'unavailable');
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

/** How far each infrastructure provider goes with Cluster API, as it is on the host or is to be installed. */
function contractsOf(states: ReturnType<typeof statesOf>, { definitions }: Inventory): readonly ContractOf[] {
  return states.flatMap(({ component, found }) => {
    if (!isInfrastructureProvider(component)) return [];
    const label = qualifiedName(component.provider);
    const own = [...definitions].filter(([name, labels]) => name === component.crd || labels[PROVIDER_LABEL] === label);
    const labels = own.map(([, one]) => one);
    return [contractOf(component, labels, found.state === 'absent' ? component.version : found.version)];
  });
}

function refuseUnsupported(component: Component, found: ComponentState, contracts: readonly ContractOf[]): void {
  const isAbsent = found.state === 'absent';
  const version = parseVersion(isAbsent ? component.version : found.version);
  if (version === undefined) return;
  const refused = isCore(component) ? clusterApiProblem(version, contracts) : versionProblem(component, version);
  if (refused === undefined) return;
  const { problem, supported } = refused;
  throw new KnestError({
    code: 'KNEST_UNSUPPORTED_VERSION',
    problem: `the host ${isAbsent ? 'would get' : 'has'} ${component.title} v${version.text}, which ${problem}`,
    evidence: isAbsent ? [] : component.workloads.map((workload) => `found as ${describe(workload)}`),
    next: isAbsent
      ? `choose ${supported}`
      : `use a host with ${supported}; the action does not upgrade installed components`,
  });
}
