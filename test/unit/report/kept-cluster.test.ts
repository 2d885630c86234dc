import { expect, it } from 'vitest';
import { keptLines } from '../../../src/report/kept-cluster.ts';
import { keptPage } from '../../../src/report/summary.ts';

const cluster = { name: 'pr-17', namespace: 'knest' };

it('the lines about a kept cluster contain commands for it', () => {
  expect(keptLines({ ...cluster, expiresAt: '2026-11-22T23:10:00Z' })).toEqual([
    'Kept: Cluster knest/pr-17 is still there, until 2026-11-22T23:10:00Z at the latest.',
    'Look at it: kubectl describe cluster -n knest pr-17',
    "Reach it: kubectl get secret -n knest pr-17-kubeconfig -o jsonpath='{.data.value}' | base64 -d > pr-17.kubeconfig",
    'Delete it: kubectl delete cluster -n knest pr-17',
  ]);
});

it('the lines about a cluster without an expiry have no end', () => {
  expect(keptLines(cluster)[0]).toBe('Kept: Cluster knest/pr-17 is still there.');
});

it('the page of a kept cluster has the lines in a block that can be copied', () => {
  const lines = keptPage(cluster).split('\n');
  expect(lines[0]).toBe('### pr-17 is kept');
  expect(lines.slice(2)).toEqual(['```text', ...keptLines(cluster), '```']);
});
