import { describe, expect, it } from 'vitest';
import { createDependents } from '../../../../src/cluster/lifecycle/apply.ts';
import { Kinds } from '../../../../src/host/api/kinds.ts';
import type { Cluster } from '../../../../src/host/api/cluster-api-objects.ts';
import type { KubernetesObject, Metadata } from '../../../../src/host/api/objects.ts';
import { clientOfStore } from '../../host/store.ts';
import { rejection } from '../../rejection.ts';
import { clusterOf, identity } from '../samples.ts';

const signal = new AbortController().signal;
const cluster: Cluster = { ...clusterOf(), metadata: { name: 'pr', namespace: 'knest', uid: 'u-1' } };
const owner = { apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Cluster', name: 'pr', uid: 'u-1' };
const secret = (name: string, metadata: Partial<Metadata> = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'knest', ...metadata },
});

describe('createDependents', () => {
  it('creates missing objects, owned by the Cluster, and applies nothing', async () => {
    const { client, store, received } = await clientOfStore();
    expect(await createDependents(client, [secret('pr-a'), secret('pr-b')], cluster, identity, signal)).toBe(2);
    for (const { metadata } of store.of(Kinds.secret)) expect(metadata.ownerReferences).toEqual([owner]);
    expect(received.map(({ method }) => method)).toEqual(['POST', 'POST']);
  });

  it('creates a resource set after its Secrets: Cluster API would count it as applied without them', async () => {
    const { client, received } = await clientOfStore();
    const { apiVersion, kind } = Kinds.clusterResourceSet;
    const set = { apiVersion, kind, metadata: { name: 'pr-addons', namespace: 'knest' } };
    const secrets = Array.from({ length: 9 }, (_, index) => secret(`pr-addons-${index}`));
    expect(await createDependents(client, [set, ...secrets], cluster, identity, signal)).toBe(10);
    const last = received.at(-1);
    expect(last?.path).toMatch(/clusterresourcesets\?/);
  });

  it('does not change objects that belong to the Cluster', async () => {
    const { client, store } = await clientOfStore();
    const labels = { changed: 'by-its-user' };
    const before = store.put(secret('pr-a', { ownerReferences: [owner], labels }));
    expect(await createDependents(client, [secret('pr-a'), secret('pr-b')], cluster, identity, signal)).toBe(1);
    expect(store.find(Kinds.secret, 'pr-a')).toEqual(before);
  });

  it('refuses an object that does not belong to the Cluster, and does not change it', async () => {
    const { client, store } = await clientOfStore();
    const labels = { ...identity.repository, 'cluster.x-k8s.io/cluster-name': 'pr' };
    const before = store.put(secret('pr-a', { labels }));
    const refused = createDependents(client, [secret('pr-a')], cluster, identity, signal);
    expect(await rejection(refused)).toMatchObject({
      code: 'KNEST_OWNED_BY_OTHER',
      problem: 'Secret knest/pr-a exists already, and belongs to the cluster pr of 4711',
    });
    expect(store.find(Kinds.secret, 'pr-a')).toEqual(before);
  });

  it('waits until an object of an earlier cluster with that name is gone', async () => {
    let isLeft = true;
    const { client, store } = await clientOfStore(({ method }) => {
      if (method !== 'GET' || !isLeft) return undefined;
      isLeft = false;
      const answer = store.answer({ method, path: '/api/v1/namespaces/knest/secrets/pr-a', body: undefined });
      store.answer({ method: 'DELETE', path: '/api/v1/namespaces/knest/secrets/pr-a', body: {} });
      return answer;
    });
    store.put(secret('pr-a', { ownerReferences: [{ ...owner, uid: 'u-0' }] }));
    expect(await createDependents(client, [secret('pr-a')], cluster, identity, signal)).toBe(1);
    expect(store.find(Kinds.secret, 'pr-a')?.metadata.ownerReferences).toEqual([owner]);
  });
});
