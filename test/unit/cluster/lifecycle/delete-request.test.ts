import { describe, expect, it } from 'vitest';
import { describeRest, removeCluster } from '../../../../src/cluster/lifecycle/delete.ts';
import { Kinds } from '../../../../src/host/api/kinds.ts';
import type { Metadata } from '../../../../src/host/api/objects.ts';
import { rejection } from '../../rejection.ts';
import { clientOfStore } from '../../host/store.ts';

const { apiVersion, kind } = Kinds.cluster;
const handle = { name: 'pr', namespace: 'knest' };
const proof = { labels: { owner: 'us' } };
const log = { line: (): void => undefined };

/** A host with that Cluster of ours, and the bodies of the requests to delete it. */
async function hostWith(metadata: Partial<Metadata>) {
  const deletions: unknown[] = [];
  const host = await clientOfStore(({ method, path, body }) => {
    if (method === 'DELETE' && path.endsWith('/clusters/pr')) deletions.push(body);
    return undefined;
  });
  const cluster = { apiVersion, kind, metadata: { name: 'pr', labels: { owner: 'us' }, ...metadata } };
  return { ...host, kept: host.store.put(cluster).metadata, deletions };
}

describe('removeCluster', () => {
  it('deletes the Cluster as it was read: its uid and version are conditions of the request', async () => {
    const { client, store, kept, deletions } = await hostWith({});
    const removal = await removeCluster(client, handle, proof, log, AbortSignal.timeout(20_000));
    expect(removal).toEqual({ existed: true, unverified: [] });
    expect(store.find(Kinds.cluster, 'pr')).toBeUndefined();
    const { uid, resourceVersion } = kept;
    expect(deletions).toEqual([{ propagationPolicy: 'Background', preconditions: { uid, resourceVersion } }]);
  });

  it('looks at the owner again when the Cluster is replaced between the look and the request', async () => {
    const deletions: unknown[] = [];
    const { client, store } = await clientOfStore(({ method, path }) => {
      if (method !== 'DELETE') return undefined;
      deletions.push(path);
      // Another repository creates its cluster of that name at this moment.
      store.put({ apiVersion, kind, metadata: { name: 'pr', uid: 'theirs', labels: { owner: 'them' } } });
      return undefined;
    });
    store.put({ apiVersion, kind, metadata: { name: 'pr', uid: 'ours', labels: { owner: 'us' } } });
    const failure = await rejection(removeCluster(client, handle, proof, log, AbortSignal.timeout(20_000)));
    // The conflict before is no part of the failure.
    expect(failure).toMatchObject({ code: 'KNEST_OWNED_BY_OTHER', evidence: ['it names no owner'] });
    expect(deletions).toHaveLength(1);
    expect(store.find(Kinds.cluster, 'pr')?.metadata.uid).toBe('theirs');
  }, 20_000);

  it('does not touch a Cluster of somebody else', async () => {
    const { client, received, deletions } = await hostWith({ labels: { owner: 'them' } });
    const failure = await rejection(removeCluster(client, handle, proof, log, AbortSignal.timeout(20_000)));
    expect(failure).toMatchObject({
      code: 'KNEST_OWNED_BY_OTHER',
      problem: 'Cluster knest/pr is not deleted: owner is them, not us',
    });
    expect(deletions).toEqual([]);
    expect(received.map(({ method }) => method)).toEqual(['GET']);
  });

  it('does not request the deletion of a Cluster that is being deleted, but waits for its end', async () => {
    const { client, deletions } = await hostWith({ deletionTimestamp: '2026-11-24T12:00:00Z' });
    const abort = new AbortController();
    const lines: string[] = [];
    const line = (text: string): void => {
      lines.push(text);
      abort.abort();
    };
    const failure = await rejection(removeCluster(client, handle, proof, { line }, abort.signal));
    expect(failure).toMatchObject({ code: 'KNEST_DELETE' });
    expect(lines).toEqual(['deletion requested']);
    expect(deletions).toEqual([]);
  });
});

describe('describeRest', () => {
  it('claims that nothing is left only of what could be listed', () => {
    expect(describeRest('pr', { unverified: [] })).toBe('nothing of pr is left');
    expect(describeRest('pr', { unverified: ['pods', 'secrets'] })).toContain('not verified: pods, secrets');
  });
});
