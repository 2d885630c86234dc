import { expect, it } from 'vitest';
import { infrastructureOf } from '../../../../src/cluster/status/view.ts';
import { clusterOf } from '../samples.ts';

it.each([
  ['VirtinkCluster', 'docker', 'virtink'],
  ['DevCluster', 'virtink', 'docker'],
  ['KubevirtCluster', 'virtink', 'docker'],
  // A ClusterClass gives a Cluster its infrastructure only once it is there.
  [undefined, 'virtink', 'virtink'],
  [undefined, 'docker', 'docker'],
  [undefined, undefined, 'docker'],
] as const)('a Cluster of %s, when %s is asked for, is followed as one of %s', (kind, asked, infrastructure) => {
  const cluster = clusterOf({ spec: kind === undefined ? {} : { infrastructureRef: { kind } } });
  expect(infrastructureOf(cluster, asked)).toBe(infrastructure);
});
