import { afterAll, expect, it } from 'vitest';
import { defaultVersions } from '../../scripts/docs.ts';
import { requiredComponents } from '../../src/catalog/components/required-components.ts';
import { inventoryWith } from '../unit/install/inventories.ts';
import { created, startClusterHost, type ClusterHost } from './cluster-host.ts';
import { annotations, cleanUp } from './support.ts';

afterAll(cleanUp);

/** A host with KubeVirt and Cluster API v1.16.0, whose KubeVirt provider follows that contract. */
async function startHost(contract: string): Promise<ClusterHost> {
  const components = requiredComponents(defaultVersions(), 'kubevirt');
  const { providers, definitions, deployments, daemonSets } = inventoryWith(components, 'v1.8.4', 'v1.16.0');
  const labelled = [...definitions.keys()].map((name) => ({
    metadata: { name, labels: name.startsWith('kubevirtclusters.') ? { [`cluster.x-k8s.io/${contract}`]: 'v1' } : {} },
  }));
  const lists = new Map<string, readonly object[]>([
    ['/apis/clusterctl.cluster.x-k8s.io/v1alpha3/providers', providers],
    ['/apis/apiextensions.k8s.io/v1/customresourcedefinitions', labelled],
    ['/apis/apps/v1/deployments', deployments],
    ['/apis/apps/v1/daemonsets', daemonSets],
  ]);
  return startClusterHost(({ method, path }) => {
    const items = lists.get(path.replace(/\?.*/, ''));
    return method === 'GET' && items !== undefined ? { status: 200, body: { items } } : undefined;
  });
}

const inputs = {
  infrastructure: 'kubevirt',
  name: 'pr',
  'kubernetes-version': '1.34.1',
  'pod-network-cidr': '10.95.0.0/16',
  'service-cidr': '10.97.0.0/16',
};

it('a host whose Cluster API no longer serves the contract of its KubeVirt provider is refused before any write', async () => {
  const host = await startHost('v1beta1');
  const main = await host.job(inputs).main();
  expect(main.exitCode).toBe(1);
  expect(annotations(main, 'error')).toEqual([
    'the host has Cluster API v1.16.0, which no longer serves the v1beta1 contract, the newest that KubeVirt provider v1.16.0 can do with (KNEST_UNSUPPORTED_VERSION)',
  ]);
  expect(main.log).toContain('Next: use a host with Cluster API v1.11 to v1.15');
  expect(host.server.writes).toEqual([]);
});

it('a newer provider of KubeVirt, by the label of its definitions, is used with a newer Cluster API', async () => {
  const host = await startHost('v1beta2');
  const main = await created(host.job(inputs));
  expect(main.log).toContain('Cluster API v1.16.0, KubeVirt provider v1.16.0');
});
