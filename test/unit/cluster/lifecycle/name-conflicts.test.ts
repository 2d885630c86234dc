import { describe, expect, it } from 'vitest';
import { checkNamesFree, checkServedObjects } from '../../../../src/cluster/lifecycle/name-conflicts.ts';
import { Kinds, type Kind } from '../../../../src/host/api/kinds.ts';
import type { KubernetesObject, Metadata } from '../../../../src/host/api/objects.ts';
import { hostWith } from '../../host/fake-host.ts';
import { clientOfStore } from '../../host/store.ts';
import { rejection } from '../../rejection.ts';
import { identity } from '../samples.ts';

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

describe('checkNamesFree', () => {
  const signal = new AbortController().signal;
  const object = ({ apiVersion, kind }: Kind, name: string, metadata: Partial<Metadata> = {}): KubernetesObject => {
    return { apiVersion, kind, metadata: { name, ...metadata } };
  };
  const pool = object(Kinds.ipPool, 'pr');
  const owner = { apiVersion: Kinds.cluster.apiVersion, kind: 'Cluster', name: 'pr', uid: 'u-0' };

  /** Checks a host with these objects. They are `gone` after so many looks. */
  async function check(existing: readonly KubernetesObject[], gone = Number.POSITIVE_INFINITY) {
    const lines: string[] = [];
    let looks = 0;
    const { client, store } = await clientOfStore(({ path }) => {
      const isIt = existing.some(({ metadata }) => path.endsWith(`/${metadata.name}`));
      if (isIt && ++looks > gone) return { status: 404, body: {} };
      if (path.endsWith('/forbidden')) return { status: 403, body: {} };
      return undefined;
    });
    for (const one of existing) store.put(one);
    const log = { line: (line: string): void => void lines.push(line) };
    await checkNamesFree(client, [pool], identity, log, signal);
    return lines;
  }

  it('accepts objects with other names', async () => {
    const others = [object(Kinds.secret, 'pr-2-kubeconfig'), object(Kinds.ipPool, 'pr-2'), object(Kinds.pod, 'pr')];
    expect(await check(others)).toEqual([]);
  });

  it.each([
    object(Kinds.ipPool, 'pr'),
    object(Kinds.service, 'pr'),
    object(Kinds.service, 'pr-lb'),
    ...['kubeconfig', 'ca', 'etcd', 'sa', 'proxy'].map((purpose) => object(Kinds.secret, `pr-${purpose}`)),
  ])('refuses $kind $metadata.name, whatever labels it has', async (existing) => {
    const labels = { ...identity.repository, 'cluster.x-k8s.io/cluster-name': 'pr' };
    for (const metadata of [{}, { labels }]) {
      const refused = check([{ ...existing, metadata: { ...existing.metadata, ...metadata } }]);
      expect(await rejection(refused)).toMatchObject({
        code: 'KNEST_OWNED_BY_OTHER',
        problem: expect.stringContaining(
          `${existing.kind} knest/${existing.metadata.name} exists already, and belongs to `,
        ) as string,
      });
    }
  });

  it.each<[string, Partial<Metadata>]>([
    ['is being deleted', { deletionTimestamp: '2026-11-22T19:00:00Z' }],
    ['belongs to an owner that is gone', { ownerReferences: [owner] }],
  ])('waits for an object that %s', async (_what, metadata) => {
    expect(await check([object(Kinds.secret, 'pr-ca', metadata)], 2)).toEqual([
      'Secret knest/pr-ca is still being deleted; waiting until it is gone',
    ]);
  });

  it.each<[string, Partial<Metadata>]>([
    ['belongs to an existing cluster', { ownerReferences: [{ ...owner, name: 'other', uid: 'u-2' }] }],
    ['belongs to an owner that may not be read', { ownerReferences: [{ ...owner, name: 'forbidden' }] }],
  ])('refuses at once an object that %s', async (_what, metadata) => {
    const other = object(Kinds.cluster, 'other', { uid: 'u-2' });
    const refused = check([object(Kinds.secret, 'pr-ca', metadata), other]);
    expect(await rejection(refused)).toMatchObject({ code: 'KNEST_OWNED_BY_OTHER' });
  });

  it('blames the template for an object that is not named after the cluster', async () => {
    const { client } = await hostWith({
      ...served,
      '/apis/example.com/v1/namespaces/knest/widgets/w': {
        ...widget,
        metadata: { name: 'w', labels: { 'cluster.x-k8s.io/cluster-name': 'other' } },
      },
    });
    const check = checkNamesFree(client, [widget], identity, { line: () => undefined }, signal);
    expect(await rejection(check)).toMatchObject({
      code: 'KNEST_TEMPLATE',
      problem: 'the template has Widget knest/w, which exists already and belongs to the cluster other',
    });
  });

  it('ignores kinds that the host does not serve yet or that have no namespace', async () => {
    const { client } = await hostWith({ ...served, '/apis/example.com/v1/worlds/w': widget });
    const objects = [
      { ...widget, kind: 'World' },
      { ...widget, kind: 'Gadget' },
    ];
    await checkNamesFree(client, objects, identity, { line: () => undefined }, signal);
  });
});

describe('checkServedObjects', () => {
  const check = async (object: KubernetesObject): Promise<void> => {
    const { client } = await hostWith(served);
    await checkServedObjects(client, [object]);
  };

  it('accepts kinds that the host serves in a namespace', async () => {
    await expect(check(widget)).resolves.toBeUndefined();
  });

  it('refuses kinds without a namespace, which would outlive the cluster', async () => {
    expect(await rejection(check({ ...widget, kind: 'World' }))).toMatchObject({
      code: 'KNEST_TEMPLATE',
      problem: 'the template has World w, which is cluster-scoped and would remain after the cluster is deleted',
    });
  });

  it.each([
    { apiVersion: 'example.com/v1', kind: 'Gadget' },
    { apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta1', kind: 'VirtinkCluster' },
  ])('refuses kinds that the host does not serve: %j', async (object) => {
    expect(await rejection(check({ ...widget, ...object }))).toMatchObject({
      code: 'KNEST_TEMPLATE',
      problem: `the template has a ${object.kind} of ${object.apiVersion}, which the host does not serve`,
    });
  });
});
