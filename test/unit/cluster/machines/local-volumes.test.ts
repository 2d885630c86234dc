import { expect, it } from 'vitest';
import { describeVolume, localVolumes, volumesOn } from '../../../../src/cluster/machines/local-volumes.ts';
import { hostWith } from '../../host/fake-host.ts';

const volume = (name: string, source: object, phase = 'Bound'): object => ({
  metadata: { name },
  spec: { ...source, claimRef: { namespace: 'shop', name: `of-${name}` } },
  status: { phase },
});
const local = { local: { path: '/data' } };
/** The affinity to a node of any of these terms, each a list of hosts. */
const on = (...terms: readonly (readonly string[])[]): object => ({
  nodeAffinity: {
    required: {
      nodeSelectorTerms: terms.map((values) => ({
        matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values }],
      })),
    },
  },
});
const elsewhere = { key: 'zone', operator: 'In', values: ['a'] };
const notOn = { key: 'kubernetes.io/hostname', operator: 'NotIn', values: ['n-1'] };
const withTerms = (...nodeSelectorTerms: readonly object[]): object => ({
  nodeAffinity: { required: { nodeSelectorTerms } },
});

/** The second has another name than its host. */
const nodes = [
  { metadata: { name: 'n-1' } },
  { metadata: { name: 'node-2', labels: { 'kubernetes.io/hostname': 'n-2' } } },
];

it('lists volumes on the disks of machines, with the nodes of their affinity', async () => {
  const items = [
    volume('a', { ...local, ...on(['n-1']) }),
    volume('b', { hostPath: { path: '/data' } }),
    volume('c', { csi: {} }),
    volume('d', local, 'Released'),
    volume('e', { ...local, ...on(['n-1', 'n-2'], ['n-2']) }),
    volume('gone', { ...local, ...on(['n-4']) }),
    volume('f', { ...local, ...withTerms({ matchExpressions: [elsewhere] }) }),
    volume('g', { ...local, ...withTerms({ matchExpressions: [notOn] }) }),
    volume('h', { ...local, ...withTerms({ matchFields: [] }) }),
  ];
  const { client } = await hostWith({ '/api/v1/persistentvolumes': { items }, '/api/v1/nodes': { items: nodes } });
  const title = (name: string): string => `PersistentVolume ${name} of PersistentVolumeClaim shop/of-${name}`;
  expect((await localVolumes(client)).map(describeVolume)).toEqual([
    `${title('a')}, on node n-1`,
    `${title('b')}, which names no node`,
    `${title('e')}, on node n-1 or node-2`,
    `${title('gone')}, whose node is gone`,
    ...['f', 'g', 'h'].map((name) => `${title(name)}, which names no node`),
  ]);
});

it('names no node when one of the alternatives of an affinity does not', async () => {
  const [named] = (on(['n-1']) as { nodeAffinity: { required: { nodeSelectorTerms: readonly [object] } } }).nodeAffinity
    .required.nodeSelectorTerms;
  const items = [volume('a', { ...local, ...withTerms(named, { matchExpressions: [elsewhere] }) })];
  const { client } = await hostWith({ '/api/v1/persistentvolumes': { items }, '/api/v1/nodes': { items: nodes } });
  expect(await localVolumes(client)).toMatchObject([{ nodes: 'any' }]);
});

it('finds the volumes that may be on some nodes', () => {
  const both = { title: 'both', nodes: ['n-1', 'n-2'] };
  const other = { title: 'other', nodes: ['n-3'] };
  const gone = { title: 'gone', nodes: [] };
  const any = { title: 'any', nodes: 'any' } as const;
  expect(volumesOn([both, other, gone, any], new Set(['n-1']))).toEqual([both]);
});
