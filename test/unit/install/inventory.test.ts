import { describe, expect, it } from 'vitest';
import type { Deployment } from '../../../src/host/api/objects.ts';
import { type Component } from '../../../src/catalog/components/component.ts';
import { requiredComponents } from '../../../src/catalog/components/required-components.ts';
import {
  asFound,
  describeInventory,
  recordedProviders,
  stateOf,
  type Inventory,
} from '../../../src/install/inventory.ts';
import { daemonSetProblem, deploymentProblem } from '../../../src/install/workload-problem.ts';
import { daemonSet, deployment, inventoryWith } from './inventories.ts';
import { versions } from './versions.ts';

const components = requiredComponents(versions, 'virtink');
const nothing: Inventory = {
  providers: [],
  definitions: new Map(),
  deployments: [],
  daemonSets: [],
  begun: new Map(),
};

function called(title: string): Component {
  const component = components.find((candidate) => candidate.title === title);
  if (component === undefined) throw new Error(`there is no ${title}`);
  return component;
}
const core = called('Cluster API');
const virtink = called('Virtink');
const certManager = called('cert-manager');

describe('stateOf', () => {
  it('is absent when nothing of the component exists, whatever else does', () => {
    for (const component of components) {
      expect(stateOf(component, nothing)).toEqual({ state: 'absent' });
      expect(stateOf(component, inventoryWith(components.filter((other) => other !== component)))).toEqual({
        state: 'absent',
      });
    }
  });

  it('is installed when everything of it exists, in the version of its record or else of its image', () => {
    expect(stateOf(core, inventoryWith([core]))).toEqual({ state: 'installed', version: 'v1.13.0' });
    expect(stateOf(virtink, inventoryWith([virtink]))).toEqual({ state: 'installed', version: 'v1.2.3' });
    expect(stateOf(certManager, inventoryWith([certManager]))).toEqual({ state: 'installed', version: 'v1.2.3' });
  });

  it('assumes the default version when an image has no version', () => {
    expect(stateOf(virtink, inventoryWith([virtink], 'latest'))).toEqual({ state: 'installed', version: 'v0.15.0' });
  });

  it.each<[string, Component, (host: Inventory) => Inventory, readonly string[]]>([
    [
      'its CRD',
      core,
      (host) => ({ ...host, definitions: new Map() }),
      ['the CRD clusters.cluster.x-k8s.io is missing'],
    ],
    [
      'its Deployment',
      core,
      (host) => ({ ...host, deployments: [deployment('elsewhere', 'capi-controller-manager')] }),
      ['Deployment capi-system/capi-controller-manager is missing'],
    ],
    [
      'everything but its record',
      core,
      (host) => ({ ...nothing, providers: host.providers }),
      ['the CRD clusters.cluster.x-k8s.io is missing', 'Deployment capi-system/capi-controller-manager is missing'],
    ],
  ])('is incomplete without %s', (_what, component, damage, missing) => {
    const half = { state: 'incomplete', missing, isBegun: false };
    expect(stateOf(component, damage(inventoryWith([component])))).toMatchObject(half);
  });

  it('of a component that this action began to install has the version that was begun', () => {
    const { definitions } = inventoryWith([core]);
    const half = { ...nothing, definitions, begun: new Map([['Cluster API', 'v1.12.1']]) };
    expect(stateOf(core, half)).toMatchObject({ state: 'incomplete', version: 'v1.12.1', isBegun: true });
    expect(stateOf(core, { ...nothing, begun: half.begun })).toEqual({ state: 'absent' });
  });

  it.each<[string, Component, (host: Inventory) => Inventory, readonly string[]]>([
    [
      'without replicas',
      core,
      (host) => ({ ...host, deployments: [deployment('capi-system', 'capi-controller-manager', false)] }),
      ['Deployment capi-system/capi-controller-manager is not available (no replicas)'],
    ],
    [
      'without a node to run on',
      virtink,
      (host) => ({ ...host, daemonSets: [daemonSet('virtink-system', 'virt-daemon', 0)] }),
      ['DaemonSet virtink-system/virt-daemon runs on 0 of 3 nodes'],
    ],
  ])('is unavailable %s', (_what, component, damage, problems) => {
    expect(stateOf(component, damage(inventoryWith([component])))).toMatchObject({ state: 'unavailable', problems });
  });

  it('does not need a record of clusterctl, since Rancher, Helm and the operator write none', () => {
    const host = { ...inventoryWith([core]), providers: [] };
    expect(stateOf(core, host)).toEqual({ state: 'installed', version: 'v1.2.3' });
  });
});

describe('problems', () => {
  it('include workloads without a status', () => {
    const bare = { apiVersion: 'apps/v1', metadata: { name: 'x' } };
    expect(deploymentProblem({ ...bare, kind: 'Deployment' })).toBe('is not available (no status yet)');
    expect(daemonSetProblem({ ...bare, kind: 'DaemonSet' })).toBe('runs on 0 of 0 nodes');
    expect([deploymentProblem(undefined), daemonSetProblem(undefined)]).toEqual(['is missing', 'is missing']);
  });
});

describe('asFound', () => {
  const tags = (found: readonly Component[]): readonly string[] =>
    found.map(({ title, manifest }) => `${title} ${manifest.tag}`);

  it('uses the installed version for missing parts of Cluster API, and the requested ones for everything else', () => {
    const older = inventoryWith([core], 'v1.2.3', 'v1.12.3');
    expect(tags(asFound(components, older))).toEqual([
      'cert-manager v1.18.0',
      'Cluster API v1.12.3',
      'kubeadm bootstrap provider v1.12.3',
      'kubeadm control plane provider v1.12.3',
      'Virtink provider v0.7.0',
      'Virtink v0.15.0',
    ]);
  });

  it.each([
    ['without Cluster API', nothing],
    ['with a Cluster API whose version is not one of a release', inventoryWith([core], 'v1.2.3', 'main')],
  ])('returns the requested components on a host %s', (_what, host) => {
    expect(tags(asFound(components, host))).toEqual(tags(components));
  });
});

describe('a provider that is only known by name', () => {
  const kubevirt = requiredComponents(versions, { name: 'kubevirt', version: 'v0.11.2' });
  const other = kubevirt.at(-1) ?? core;
  const recorded = inventoryWith([other], 'v1.2.3', 'v0.10.0');
  const labels = { 'cluster.x-k8s.io/provider': 'infrastructure-kubevirt' };
  const running = (isAvailable: boolean): Deployment => {
    const made = deployment('capk-system', 'capk-controller-manager', isAvailable);
    return { ...made, metadata: { ...made.metadata, labels } };
  };
  const found = (host: Inventory) => stateOf(asFound([other], host)[0] ?? core, host);

  it('is absent without a record or a label, whatever is running', () => {
    expect(found(nothing)).toEqual({ state: 'absent' });
    expect(found({ ...nothing, deployments: [deployment('x', 'y')] })).toEqual({ state: 'absent' });
  });

  it('is installed in its recorded version when all Deployments with its label are available', () => {
    const host = { ...recorded, deployments: [running(true), deployment('x', 'y', false)] };
    expect(found(host)).toEqual({ state: 'installed', version: 'v0.10.0' });
  });

  it('is installed in the version of its image without a record', () => {
    expect(found({ ...nothing, deployments: [running(true)] })).toEqual({ state: 'installed', version: 'v1.0.0' });
  });

  it('is unavailable when a Deployment is not available, and incomplete when there is none', () => {
    expect(found({ ...recorded, deployments: [running(false)] })).toEqual({
      state: 'unavailable',
      version: 'v0.10.0',
      problems: ['Deployment capk-system/capk-controller-manager is not available (no replicas)'],
    });
    expect(found(recorded)).toMatchObject({ missing: ['all its Deployments are missing'] });
  });
});

describe('recordedProviders', () => {
  it('are the known providers on the host, in their installed version', () => {
    const host = inventoryWith([core, virtink, certManager, called('Virtink provider')], 'v1.2.3', 'v9.9.9');
    expect(recordedProviders(components, host).map(({ title, manifest }) => `${title} ${manifest.tag}`)).toEqual([
      'Cluster API v9.9.9',
      'Virtink provider v9.9.9',
    ]);
    expect(recordedProviders([], host)).toEqual([]);
    expect(recordedProviders(components, nothing)).toEqual([]);
  });
});

describe('describeInventory', () => {
  it('lists the components, with the parts of Cluster API as one', () => {
    expect(describeInventory(components, inventoryWith(components))).toEqual({
      text: 'cert-manager v1.2.3, Cluster API v1.13.0, Virtink provider v1.13.0, Virtink v1.2.3',
      isComplete: true,
    });
    expect(describeInventory(components, nothing)).toEqual({
      text: 'no cert-manager, no Cluster API, no Virtink provider, no Virtink',
      isComplete: false,
    });
  });

  it('is not complete without one of the parts that it does not list', () => {
    const most = components.filter(({ title }) => title !== 'kubeadm control plane provider');
    expect(describeInventory(components, inventoryWith(most)).isComplete).toBe(false);
  });

  it.each([
    ['v1.10.4', 'the host has Cluster API v1.10.4, which has no v1beta2 API'],
    [
      'v1.16.0',
      'the host has Cluster API v1.16.0, which no longer serves the v1beta1 contract, the newest that Virtink provider v0.7.0 can do with',
    ],
  ])('refuses a host with Cluster API %s', (version, problem) => {
    const refusal = expect.objectContaining({ code: 'KNEST_UNSUPPORTED_VERSION', problem }) as Error;
    expect(() => describeInventory(components, inventoryWith([core], 'v1.2.3', version))).toThrow(refusal);
    // A part of it is refused like all of it.
    const half = { ...nothing, providers: inventoryWith([core], 'v1.2.3', version).providers };
    expect(() => describeInventory(components, half)).toThrow(refusal);
  });

  it.each(['v1.11.0', 'v1.15.9', 'main'])('accepts a host with Cluster API %s', (version) => {
    expect(describeInventory(components, inventoryWith([core], 'v1.2.3', version)).text).toContain(
      `Cluster API ${version}`,
    );
  });

  it('goes by the labels of the definitions of the installed provider, which may be newer than any that is known', () => {
    const kubevirt = requiredComponents(versions, 'kubevirt');
    const provider = kubevirt.find(({ title }) => title === 'KubeVirt provider');
    if (provider === undefined) throw new Error('unreachable');
    const host = inventoryWith(kubevirt, 'v1.8.4', 'v1.16.0');
    const labelled = (label: string): Inventory => ({
      ...host,
      definitions: new Map([...host.definitions, [provider.crd ?? '', { [`cluster.x-k8s.io/${label}`]: 'v1alpha1' }]]),
    });
    expect(describeInventory(kubevirt, labelled('v1beta2')).isComplete).toBe(true);
    expect(() => describeInventory(kubevirt, labelled('v1beta1'))).toThrow(/the v1beta1 contract, the newest that/);
  });

  it('refuses to install a version that the provider of the host cannot do with', () => {
    const newer = requiredComponents({ ...versions, clusterApi: 'v1.16.0' }, 'virtink');
    expect(() => describeInventory(newer, nothing)).toThrow(
      expect.objectContaining({
        code: 'KNEST_UNSUPPORTED_VERSION',
        problem: expect.stringMatching(/^the host would get Cluster API v1\.16\.0, which no longer serves/) as string,
        next: 'choose Cluster API v1.11 to v1.15',
      }) as Error,
    );
  });

  it('ignores the version of a provider other than the core', () => {
    const provider = called('Virtink provider');
    expect(describeInventory(components, inventoryWith([provider], 'v1.2.3', 'v0.7.0')).text).toContain(
      'provider v0.7.0',
    );
  });
});
