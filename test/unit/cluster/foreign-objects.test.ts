import { describe, expect, it } from 'vitest';
import { checkForeignObjects } from '../../../src/cluster/foreign-objects.ts';
import type { ClusterIdentity } from '../../../src/cluster/identity.ts';
import { hostWith } from '../host/fake-host.ts';
import { rejection } from '../rejection.ts';

const identity: ClusterIdentity = {
  name: 'pr',
  namespace: 'knest',
  owner: { 'knest-action/managed': 'true', 'knest-action/repository-id': '4711' },
  annotations: {},
  expiresAt: undefined,
};
const widget = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' } };
const served = {
  '/apis/example.com/v1': {
    resources: [
      { name: 'widgets', kind: 'Widget', namespaced: true },
      { name: 'widgets/status', kind: 'Widget', namespaced: true },
      { name: 'worlds', kind: 'World', namespaced: false },
    ],
  },
};
const path = '/apis/example.com/v1/namespaces/knest/widgets/w';
const check = async (answers: Readonly<Record<string, unknown>>, object = widget): Promise<void> => {
  const { client } = await hostWith({ ...served, ...answers });
  await checkForeignObjects(client, [object], identity);
};
const existing = (labels: object, annotations: object = {}) => ({
  [path]: { ...widget, metadata: { name: 'w', labels, annotations } },
});

describe('checkForeignObjects', () => {
  it('has nothing against what is not there, or is what an earlier try left', async () => {
    await expect(check({})).resolves.toBeUndefined();
    const own = { 'knest-action/repository-id': '4711', 'cluster.x-k8s.io/cluster-name': 'pr' };
    await expect(check(existing(own))).resolves.toBeUndefined();
  });

  it.each([
    [existing({}), 'somebody who did not make it by this action'],
    [existing({ 'knest-action/repository-id': '666' }, { 'knest-action/repository': 'evil/corp' }), 'evil/corp'],
    [existing({ 'knest-action/repository-id': '4711', 'cluster.x-k8s.io/cluster-name': 'other' }), 'the cluster other'],
  ])('leaves alone what is somebody else’s', async (answers, owner) => {
    expect(await rejection(check(answers))).toMatchObject({
      code: 'KNEST_TEMPLATE',
      problem: `the template has Widget w, which is in knest already and belongs to ${owner}`,
    });
  });

  it('refuses what would outlive the cluster', async () => {
    expect(await rejection(check({}, { ...widget, kind: 'World' }))).toMatchObject({
      code: 'KNEST_TEMPLATE',
      problem: 'the template has World w, which belongs to no namespace and would stay when the cluster goes',
    });
  });

  it.each([
    { apiVersion: 'example.com/v1', kind: 'Gadget' },
    { apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta1', kind: 'VirtinkCluster' },
  ])('refuses what the host does not serve: %j', async (object) => {
    expect(await rejection(check({}, { ...widget, ...object }))).toMatchObject({
      code: 'KNEST_TEMPLATE',
      problem: `the template has a ${object.kind} of ${object.apiVersion}, which the host does not serve`,
    });
  });
});
