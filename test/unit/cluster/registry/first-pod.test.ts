import { expect, it } from 'vitest';
import { describeRestart, noteFirstPod } from '../../../../src/cluster/registry/first-pod.ts';
import type { Cluster } from '../../../../src/host/api/cluster-api-objects.ts';
import type { Pod } from '../../../../src/host/api/objects.ts';
import { clientOf, json } from '../../host/server.ts';

function clusterWith(annotations: Readonly<Record<string, string>> = {}): Cluster {
  const metadata = { name: 'pr', namespace: 'knest', uid: 'u-1', resourceVersion: '7', annotations };
  return { apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Cluster', metadata };
}

function pod(uid: string): Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'r', uid, creationTimestamp: '2026-01-01T00:00:00Z' } };
}

it('the first pod of a registry is noted once, whatever controllers write to the Cluster meanwhile', async () => {
  const { client, received } = await clientOf((response) => json(response, clusterWith()));
  await noteFirstPod(client, clusterWith(), pod('r-1'));
  await noteFirstPod(client, clusterWith({ 'knest-action/registry-pod': 'r-1' }), pod('r-2'));
  expect(received.map(({ method, body }) => [method, JSON.parse(body) as unknown])).toEqual([
    ['PATCH', { metadata: { uid: 'u-1', annotations: { 'knest-action/registry-pod': 'r-1' } } }],
  ]);
});

it('a registry has restarted when its pod is another one than the first', () => {
  const noted = clusterWith({ 'knest-action/registry-pod': 'r-1' });
  expect(describeRestart(noted, pod('r-1'))).toBeUndefined();
  expect(describeRestart(clusterWith(), pod('r-1'))).toBeUndefined();
  expect(describeRestart(noted, pod('r-2'))).toContain('restarted at 2026-01-01T00:00:00Z');
});
