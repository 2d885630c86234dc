import { expect, it } from 'vitest';
import { describeRestart, noteBeginning } from '../../../../src/cluster/registry/beginning.ts';
import type { Cluster } from '../../../../src/host/api/cluster-api-objects.ts';
import type { Pod } from '../../../../src/host/api/objects.ts';
import { clientOf, json } from '../../host/server.ts';

const POD = 'knest-action/registry-pod';
const ADDRESS = 'knest-action/registry-address';

function clusterWith(annotations: Readonly<Record<string, string>> = {}): Cluster {
  const metadata = { name: 'pr', namespace: 'knest', uid: 'u-1', resourceVersion: '7', annotations };
  return { apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Cluster', metadata };
}

function pod(uid: string): Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'r', uid, creationTimestamp: '2026-01-01T00:00:00Z' } };
}

/** What is written to a Cluster with these annotations, whatever controllers write to it meanwhile. */
async function noted(annotations: Readonly<Record<string, string>>, uid: string): Promise<readonly unknown[]> {
  const { client, received } = await clientOf((response, _number, { method }) =>
    json(response, method === 'GET' ? { metadata: {}, spec: { clusterIP: '10.96.0.9' } } : clusterWith()),
  );
  await noteBeginning(client, clusterWith(annotations), pod(uid));
  return received.filter(({ method }) => method === 'PATCH').map(({ body }) => JSON.parse(body) as unknown);
}

it('the pod of a registry is saved with the address of its Service', async () => {
  const annotations = { [POD]: 'r-1', [ADDRESS]: '10.96.0.9' };
  expect(await noted({}, 'r-1')).toEqual([{ metadata: { uid: 'u-1', annotations } }]);
  expect(await noted(annotations, 'r-1')).toEqual([]);
});

it('a pod that came after it takes its place, and the address that the nodes know stays', async () => {
  const annotations = { [POD]: 'r-2', [ADDRESS]: '10.96.0.7' };
  expect(await noted({ [POD]: 'r-1', [ADDRESS]: '10.96.0.7' }, 'r-2')).toEqual([
    { metadata: { uid: 'u-1', annotations } },
  ]);
});

it('a registry has restarted when its pod is another one than the saved one', () => {
  const cluster = clusterWith({ [POD]: 'r-1' });
  expect(describeRestart(cluster, pod('r-1'))).toBeUndefined();
  expect(describeRestart(clusterWith(), pod('r-1'))).toBeUndefined();
  expect(describeRestart(cluster, pod('r-2'))).toContain('restarted at 2026-01-01T00:00:00Z');
});
