import { compareMinor, parseVersion, type Version } from '../../values/version.ts';
import type { Component, ProviderComponent } from './component.ts';

/** Why an installed version cannot be used, as the end of a sentence, and which ones can. */
export interface VersionProblem {
  readonly problem: string;
  readonly supported: string;
}

/** Why a version of a component other than Cluster API's core cannot be used; undefined when it can. */
export function versionProblem({ installer }: Component, version: Version): VersionProblem | undefined {
  return installer === 'clusterctl-cert-manager' && version.major < 1
    ? { problem: 'has no v1 API', supported: 'cert-manager v1.0 or later' }
    : undefined;
}

/** What Cluster API and a provider agree on. */
export type Contract = 'v1beta1' | 'v1beta2';

/** An infrastructure provider, and how far it goes with Cluster API. */
export interface ContractOf {
  /** Its title and version. */
  readonly provider: string;
  /** Undefined when it is not known: then Cluster API has the say. */
  readonly newest: Contract | undefined;
}

/** Which versions of Cluster API have what the action and the providers need. Source: Cluster API, "Version Support". */
const V1BETA2_FROM = { major: 1, minor: 11 };
const V1BETA1_UNTIL = { major: 1, minor: 16 };

/**
 * Why a version of Cluster API cannot be used with any of these infrastructure providers; undefined when it can with one
 * of them.
 */
export function clusterApiProblem(version: Version, providers: readonly ContractOf[]): VersionProblem | undefined {
  const isOld = providers.length > 0 && providers.every(({ newest }) => newest === 'v1beta1');
  const supported = `Cluster API v1.11 ${isOld ? 'to v1.15' : 'or later'}`;
  if (compareMinor(version, V1BETA2_FROM) < 0) return { problem: 'has no v1beta2 API', supported };
  if (!isOld || compareMinor(version, V1BETA1_UNTIL) < 0) return undefined;
  const names = providers.map(({ provider }) => provider).join(' and ');
  return { problem: `no longer serves the v1beta1 contract, the newest that ${names} can do with`, supported };
}

/** The label by which Cluster API finds the versions of a provider's API that follow a contract. */
const CONTRACT_LABEL = 'cluster.x-k8s.io/';

/**
 * How far an infrastructure provider goes with Cluster API: by the labels of its installed definitions, else by its
 * release. `version`: that on the host.
 */
export function contractOf(
  component: ProviderComponent,
  labels: readonly Readonly<Record<string, string>>[],
  version: string,
): ContractOf {
  const isLabelled = (contract: Contract): boolean => labels.some((one) => `${CONTRACT_LABEL}${contract}` in one);
  const labelled = (['v1beta2', 'v1beta1'] as const).find(isLabelled);
  return { provider: `${component.title} ${version}`, newest: labelled ?? releasedContract(component, version) };
}

function releasedContract({ lastOfV1beta1 }: ProviderComponent, text: string): Contract | undefined {
  const version = parseVersion(text);
  if (lastOfV1beta1 === undefined || version === undefined) return undefined;
  return compareMinor(version, lastOfV1beta1) <= 0 ? 'v1beta1' : undefined;
}

/** Whether a component is an infrastructure provider. */
export function isInfrastructureProvider(component: Component): component is ProviderComponent {
  return component.installer === 'clusterctl' && component.provider.type === 'InfrastructureProvider';
}
