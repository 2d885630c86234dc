import { describe, expect, it } from 'vitest';
import type { Deployment } from '../../../src/host/api/objects.ts';
import { requiredComponents } from '../../../src/catalog/components/required-components.ts';
import { asFound, describeInventory, isForeignCore, statesOf, type Inventory } from '../../../src/install/inventory.ts';
import { deployment, inventoryWith } from './inventories.ts';
import { versions } from './versions.ts';

const components = requiredComponents(versions, 'virtink');
const [certManager, core] = components;
if (certManager === undefined || core === undefined) throw new Error('unreachable');
const nothing: Inventory = { ...inventoryWith([]), definitions: new Map() };

describe('a component that others installed in another place', () => {
  const image = 'quay.io/jetstack/cert-manager-x:v1.19.2';
  const part = (component: string, name = component): Deployment =>
    deployment('infra', `cm-${component}`, true, image, {
      'app.kubernetes.io/component': component,
      'app.kubernetes.io/instance': 'cm',
      'app.kubernetes.io/name': name,
    });
  const chart = [part('controller', 'cert-manager'), part('cainjector'), part('webhook')];
  const { definitions } = inventoryWith([certManager]);

  it('is found by its labels, with the version of its image: cert-manager under another release name', () => {
    const host = { ...nothing, definitions, deployments: chart };
    const [{ component, found } = {}] = statesOf([certManager], host);
    expect(found).toEqual({ state: 'installed', version: 'v1.19.2' });
    expect(component?.workloads.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual([
      'infra/cm-controller',
      'infra/cm-cainjector',
      'infra/cm-webhook',
    ]);
  });

  it('is refused when it is too old', () => {
    const old = chart.map((one) => ({
      ...one,
      spec: { template: { spec: { containers: [{ image: 'x:v0.16.1' }] } } },
    }));
    expect(() => describeInventory([certManager], { ...nothing, definitions, deployments: old })).toThrow(
      expect.objectContaining({
        code: 'KNEST_UNSUPPORTED_VERSION',
        problem: 'the host has cert-manager v0.16.1, which has no v1 API',
        evidence: expect.arrayContaining(['found as Deployment infra/cm-controller']) as string[],
      }) as Error,
    );
  });

  it('is found by its provider label: a Cluster API from Rancher, which determines the version of the missing parts', () => {
    const labels = { 'cluster.x-k8s.io/provider': 'cluster-api' };
    const rancher = deployment('cattle-capi-system', 'capi', true, 'rancher/mirrored:v1.12.1', labels);
    const host = { ...nothing, definitions: inventoryWith([core]).definitions, deployments: [rancher] };
    expect(statesOf(components, host).map(({ found, component }) => [component.version, found.state])).toEqual([
      ['v1.18.0', 'absent'],
      ['v1.12.1', 'installed'],
      ['v1.12.1', 'absent'],
      ['v1.12.1', 'absent'],
      ['v0.7.0', 'absent'],
      ['v0.15.0', 'absent'],
    ]);
    expect(components.map((component) => isForeignCore(asFound([component], host)[0] ?? component, host))).toEqual([
      false,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
