import { expect, it } from 'vitest';
import { infrastructureOf } from '../../../../src/cluster/status/view.ts';
import { clusterOf } from '../samples.ts';

it.each([
  ['VirtinkCluster', 'in-memory', 'virtink'],
  ['DevCluster', 'virtink', 'in-memory'],
  ['KubevirtCluster', 'virtink', 'in-memory'],
  // A ClusterClass gives a Cluster its infrastructure only once it is there.
  [undefined, 'virtink', 'virtink'],
  [undefined, 'in-memory', 'in-memory'],
  [undefined, undefined, 'in-memory'],
] as const)('a Cluster of %s, when %s is asked for, is followed as one of %s', (kind, asked, infrastructure) => {
  const cluster = clusterOf({ spec: kind === undefined ? {} : { infrastructureRef: { kind } } });
  expect(infrastructureOf(cluster, asked)).toBe(infrastructure);
});
