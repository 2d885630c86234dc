import { expect, it } from 'vitest';
import { describeVolume, localVolumes, volumesElsewhere } from '../../../../src/cluster/machines/local-volumes.ts';
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

it('lists volumes on the disks of machines, with the nodes of their affinity', async () => {
  const items = [
    volume('a', { ...local, ...on(['n-1']) }),
    volume('b', { hostPath: { path: '/data' } }),
    volume('c', { csi: {} }),
    volume('d', local, 'Released'),
    volume('e', { ...local, ...on(['n-1', 'n-2'], ['n-2']) }),
    volume('f', { ...local, ...withTerms({ matchExpressions: [elsewhere] }) }),
    volume('g', { ...local, ...withTerms({ matchExpressions: [notOn] }) }),
    volume('h', { ...local, ...withTerms({ matchFields: [] }) }),
  ];
  const { client } = await hostWith({ '/api/v1/persistentvolumes': { items } });
  const title = (name: string): string => `PersistentVolume ${name} of PersistentVolumeClaim shop/of-${name}`;
  expect((await localVolumes(client)).map(describeVolume)).toEqual([
    `${title('a')}, on node n-1`,
    `${title('b')}, which names no node`,
    `${title('e')}, on node n-1 or n-2`,
    ...['f', 'g', 'h'].map((name) => `${title(name)}, which names no node`),
  ]);
});

it('names no node when one of the alternatives of an affinity does not', async () => {
  const [named] = (on(['n-1']) as { nodeAffinity: { required: { nodeSelectorTerms: readonly [object] } } }).nodeAffinity
    .required.nodeSelectorTerms;
  const items = [volume('a', { ...local, ...withTerms(named, { matchExpressions: [elsewhere] }) })];
  const { client } = await hostWith({ '/api/v1/persistentvolumes': { items } });
  expect(await localVolumes(client)).toMatchObject([{ nodes: [] }]);
});

it('takes a volume for one elsewhere unless all nodes that it names are given', () => {
  const known = { title: 'known', nodes: ['n-1', 'n-2'] };
  const half = { title: 'half', nodes: ['n-2', 'n-3'] };
  const nowhere = { title: 'nowhere', nodes: [] };
  expect(volumesElsewhere([known, half, nowhere], new Set(['n-1', 'n-2']))).toEqual([half, nowhere]);
});
