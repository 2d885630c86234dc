import { expect, it } from 'vitest';
import { KnestError } from '../../../../src/errors.ts';
import { explainUnfinished } from '../../../../src/cluster/upgrade/failure.ts';
import type { UpgradePlan } from '../../../../src/cluster/upgrade/plan.ts';
import { hostWith } from '../../host/fake-host.ts';
import { clusterOf, machineOf } from '../samples.ts';

const planned = { cluster: clusterOf(), target: { version: 'v1.35.2', images: '' } } as UpgradePlan;
const clusters = '/apis/cluster.x-k8s.io/v1beta2/namespaces/knest/clusters/pr';
const machines = '/apis/cluster.x-k8s.io/v1beta2/namespaces/knest/machines';

it('names the new machines that are not nodes, the only ones to delete, and keeps the image', async () => {
  const node = { nodeRef: { name: 'n' } };
  const items = [
    machineOf('old', { spec: { version: 'v1.34.1' }, status: node }),
    machineOf('stuck', { spec: { version: 'v1.35.2' } }),
    machineOf('new', { spec: { version: 'v1.35.2' }, status: node }),
  ];
  const { client } = await hostWith({ [clusters]: clusterOf(), [machines]: { items } });
  const { client: nested } = await hostWith({});
  const thrown = new KnestError({ code: 'KNEST_IMAGE_PULL', problem: 'no image', next: 'set node-image' });
  const explained = (await explainUnfinished(client, nested, planned, thrown)) as KnestError;
  expect(explained.evidence).toEqual([
    'the upgrade to v1.35.2 is unfinished: the same inputs continue it, and other targets are refused',
    'new and not yet a node: Machine stuck; if you delete a Machine by hand, delete no other',
  ]);
  expect(explained.next).toMatch(/^make the image available under this name/);
  const refused = new KnestError({ code: 'KNEST_UPGRADE', problem: 'another was faster' });
  expect(await explainUnfinished(client, nested, planned, refused)).toBe(refused);
});

it.each([
  ['KNEST_UNSCHEDULABLE', 'make room on the host and run this step again, or delete the cluster'],
  ['KNEST_BOOTSTRAP', 'delete the cluster, and create it again'],
  ['KNEST_INFRASTRUCTURE', 'of a create'],
] as const)('advises after %s what an upgrade can do', async (code, next) => {
  const { client } = await hostWith({ [clusters]: clusterOf() });
  const thrown = new KnestError({ code, problem: 'no', next: 'of a create' });
  expect(await explainUnfinished(client, client, planned, thrown)).toMatchObject({ code, next });
});

it('says nothing of continuing a cluster that somebody deleted', async () => {
  const thrown = new KnestError({ code: 'KNEST_INFRASTRUCTURE', problem: 'somebody deleted it meanwhile' });
  const { metadata, ...rest } = clusterOf();
  const going = { ...rest, metadata: { ...metadata, deletionTimestamp: '2026-11-24T12:00:00Z' } };
  const { client } = await hostWith({ [clusters]: going });
  expect(await explainUnfinished(client, client, planned, thrown)).toBe(thrown);
});
