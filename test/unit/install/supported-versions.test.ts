import { describe, expect, it } from 'vitest';
import type { Infrastructure, InfrastructureProvider } from '../../../src/catalog/infrastructures.ts';
import { requiredComponents } from '../../../src/catalog/components/required-components.ts';
import {
  clusterApiProblem,
  contractOf,
  isInfrastructureProvider,
  type ContractOf,
  type VersionProblem,
} from '../../../src/catalog/components/supported-versions.ts';
import { parseVersion } from '../../../src/values/version.ts';
import { versions } from './versions.ts';

/** The contract of the provider of an infrastructure, in that version. */
function contract(
  infrastructure: Infrastructure | InfrastructureProvider,
  labels: readonly Readonly<Record<string, string>>[] = [],
  version?: string,
): ContractOf {
  const provider = requiredComponents(versions, infrastructure).find(isInfrastructureProvider);
  if (provider === undefined) throw new Error('unreachable');
  return contractOf(provider, labels, version ?? provider.version);
}

describe('contractOf', () => {
  it('is that of the release for the engines of VMs, and of no other', () => {
    expect(contract('virtink')).toEqual({ provider: 'Virtink provider v0.7.0', newest: 'v1beta1' });
    expect(contract('kubevirt')).toEqual({ provider: 'KubeVirt provider v0.11.2', newest: 'v1beta1' });
    expect(contract('in-memory').newest).toBeUndefined();
    expect(contract({ name: 'openstack', version: 'v0.14.5' }).newest).toBeUndefined();
  });

  it.each([
    ['v0.10.0', 'v1beta1'],
    ['v0.11.9', 'v1beta1'],
    // Nobody knows yet what its contract is.
    ['v0.12.0', undefined],
    ['main', undefined],
  ])('of the KubeVirt provider %s is %s', (version, newest) => {
    expect(contract('kubevirt', [], version).newest).toBe(newest);
  });

  it('is the newest of the labels of installed definitions, whatever the release', () => {
    const [old, both] = [
      { 'cluster.x-k8s.io/v1beta1': 'v1alpha1', 'cluster.x-k8s.io/provider': 'infrastructure-kubevirt' },
      { 'cluster.x-k8s.io/v1beta1': 'v1alpha1', 'cluster.x-k8s.io/v1beta2': 'v1beta1' },
    ];
    expect(contract('kubevirt', [old, both]).newest).toBe('v1beta2');
    expect(contract('kubevirt', [old], 'v0.12.0').newest).toBe('v1beta1');
    expect(contract('kubevirt', [{}]).newest).toBe('v1beta1');
  });
});

describe('clusterApiProblem', () => {
  const problemOf = (text: string, ...providers: readonly ContractOf[]): VersionProblem | undefined => {
    const version = parseVersion(text);
    if (version === undefined) throw new Error(`${text} is not a version`);
    return clusterApiProblem(version, providers);
  };
  const [virtink, kubevirt] = [contract('virtink'), contract('kubevirt')];
  const newer: ContractOf = { provider: 'KubeVirt provider v0.12.0', newest: 'v1beta2' };
  const unknown: ContractOf = { provider: 'openstack provider v0.14.5', newest: undefined };

  it.each(['v1.11.0', 'v1.12.7', 'v1.14.2', 'v1.15.99'])('accepts %s with any provider', (text) => {
    for (const provider of [virtink, kubevirt, newer, unknown]) expect(problemOf(text, provider)).toBeUndefined();
  });

  it.each(['v1.10.9', 'v0.99.0'])('refuses %s: the action itself needs the v1beta2 API', (text) => {
    expect(problemOf(text, kubevirt)).toEqual({
      problem: 'has no v1beta2 API',
      supported: 'Cluster API v1.11 to v1.15',
    });
    expect(problemOf(text, newer)?.supported).toBe('Cluster API v1.11 or later');
  });

  it.each(['v1.16.0', 'v1.16.0-rc.0', 'v2.0.0'])('refuses %s where the provider needs the v1beta1 contract', (text) => {
    expect(problemOf(text, kubevirt)).toEqual({
      problem: 'no longer serves the v1beta1 contract, the newest that KubeVirt provider v0.11.2 can do with',
      supported: 'Cluster API v1.11 to v1.15',
    });
    expect(problemOf(text, kubevirt, virtink)?.problem).toContain(
      'KubeVirt provider v0.11.2 and Virtink provider v0.7.0',
    );
    expect(problemOf(text, newer)).toBeUndefined();
    expect(problemOf(text, unknown)).toBeUndefined();
    expect(problemOf(text, virtink, newer)).toBeUndefined();
    expect(problemOf(text)).toBeUndefined();
  });
});
