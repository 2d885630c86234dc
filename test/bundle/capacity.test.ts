import { afterAll, expect, it } from 'vitest';
import type { Received } from '../support/api-server.ts';
import { CLUSTER_API, created, discoveryAnswer, startClusterHost, type ClusterHost } from './cluster-host.ts';
import { annotations, cleanUp } from './support.ts';

afterAll(cleanUp);

const VIRTINK = ['virtinkclusters.infrastructure.cluster.x-k8s.io', 'virtualmachines.virt.virtink.smartx.com'];

/** A host with Virtink and one node. */
async function startVirtinkHost(): Promise<ClusterHost> {
  const status = { allocatable: { cpu: '2', memory: '16Gi' } };
  const nodes = { items: [{ metadata: { name: 'node-1' }, status }] };
  return startClusterHost(({ method, path }) => {
    if (method !== 'GET') return undefined;
    if (path.startsWith('/api/v1/nodes')) return { status: 200, body: nodes };
    return discoveryAnswer(path, [...CLUSTER_API, ...VIRTINK]);
  });
}

it('VMs request memory and CPU from the host', async () => {
  const host = await startVirtinkHost();
  await created(host.job({ infrastructure: 'virtink', name: 'pr', 'worker-machine-memory-size': '2Gi' }));
  const made = host.server.writes.filter(({ path }: Received) => path.includes('/virtinkmachinetemplates'));
  const requests = made.map(({ body }) => /"requests":(\{[^}]*\})/.exec(JSON.stringify(body))?.[1]);
  expect(requests).toEqual(['{"cpu":"200m","memory":"4352Mi"}', '{"cpu":"200m","memory":"2304Mi"}']);
});

it('a machine that is larger than every node is refused before any write', async () => {
  const host = await startVirtinkHost();
  const job = host.job({ infrastructure: 'virtink', 'control-plane-machine-memory-size': '999Gi' });
  const main = await job.main();
  expect(main.exitCode).toBe(1);
  expect(annotations(main, 'error')).toEqual([
    expect.stringMatching(/^a control-plane machine does not fit on any node of the host: .*\(KNEST_UNSCHEDULABLE\)$/),
  ]);
  expect(main.log).toContain('Node node-1: memory 16Gi, CPU 2 (allocatable)');
  expect(host.server.writes).toEqual([]);
});
