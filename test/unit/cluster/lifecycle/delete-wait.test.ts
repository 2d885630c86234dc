import { describe, expect, it } from 'vitest';
import { waitUntilGone } from '../../../../src/cluster/lifecycle/delete.ts';
import { Labels } from '../../../../src/cluster/identity/identity.ts';
import { Kinds, type Kind } from '../../../../src/host/api/kinds.ts';
import type { Metadata } from '../../../../src/host/api/objects.ts';
import { rejection } from '../../rejection.ts';
import { clientOf, json, refuse } from '../../host/server.ts';
import { clientOfStore } from '../../host/store.ts';

const handle = { name: 'pr', namespace: 'knest' };
const labels = { [Labels.clusterName]: 'pr' };

const of = ({ apiVersion, kind }: Kind, metadata: Partial<Metadata>, more: object = {}) => ({
  apiVersion,
  kind,
  metadata: { name: 'pr', namespace: 'knest', ...metadata },
  ...more,
});

/** Waits on a host with these objects, until the wait reports something. Returns the lines and the failure. */
async function waitOn(objects: readonly ReturnType<typeof of>[], uid?: string) {
  const { client, store } = await clientOfStore();
  objects.forEach((object) => store.put(object));
  const lines: string[] = [];
  const abort = new AbortController();
  const say = (line: string): void => {
    lines.push(line);
    abort.abort();
  };
  return { lines, failure: await rejection(waitUntilGone(client, handle, uid, say, abort.signal)) };
}

describe('waitUntilGone', () => {
  it('fails at its timeout with what is left and the finalizers that hold it', async () => {
    const { lines, failure } = await waitOn([
      of(Kinds.cluster, { uid: 'u', finalizers: ['cluster.cluster.x-k8s.io', 'other'] }),
      of(Kinds.machine, { name: 'pr-cp', labels, finalizers: ['machine.cluster.x-k8s.io'] }),
      of(Kinds.machine, { name: 'pr-md', labels }),
      of(Kinds.pod, { name: 'vm-pr-cp', labels }),
      of(Kinds.machine, { name: 'other', labels: { [Labels.clusterName]: 'other' } }),
    ]);
    expect(lines).toEqual(['deletion requested; left: 2 machines, 1 Pod']);
    expect(failure).toMatchObject({
      code: 'KNEST_DELETE',
      problem: expect.stringMatching(/^pr is being deleted, but not gone after \ds$/) as string,
      evidence: [
        'deletion requested; left: 2 machines, 1 Pod',
        'Cluster pr waits for cluster.cluster.x-k8s.io, other',
        'Machine pr-cp waits for machine.cluster.x-k8s.io',
        'Machine pr-md',
        'Pod vm-pr-cp',
      ],
      next: expect.stringContaining('cluster -n knest pr ') as string,
    });
  });

  it('lists the first twelve of many objects that are left', async () => {
    const machines = Array.from({ length: 20 }, (_none, index) => of(Kinds.machine, { name: `m-${index}`, labels }));
    const { failure } = await waitOn(machines);
    expect(failure).toMatchObject({ evidence: { length: 13 } });
  });

  it('reports the reason of the Cluster while that is being deleted, and of no other status', async () => {
    const deleting = (status: string) => ({
      status: { conditions: [{ type: 'Deleting', status, reason: 'WaitingForWorkersDeletion' }] },
    });
    expect((await waitOn([of(Kinds.cluster, {}, deleting('True'))])).lines).toEqual(['WaitingForWorkersDeletion']);
    expect((await waitOn([of(Kinds.cluster, {}, deleting('False'))])).lines).toEqual(['deletion requested']);
  });

  it('waits for objects that outlive the Cluster, and for the binding that has no label', async () => {
    expect((await waitOn([of(Kinds.pod, { labels })])).lines).toEqual(['Cluster gone; left: 1 Pod']);
    expect((await waitOn([of(Kinds.service, { labels })])).lines).toEqual(['Cluster gone']);
    const { failure } = await waitOn([of(Kinds.clusterResourceSetBinding, {})]);
    expect(failure).toMatchObject({ evidence: ['Cluster gone', 'ClusterResourceSetBinding pr'] });
  });

  it('waits for the Cluster with that uid only: another may have taken the name', async () => {
    const { client, store } = await clientOfStore();
    store.put(of(Kinds.cluster, { uid: 'new' }));
    const lines: string[] = [];
    // Shorter than the pause between two looks at the Secrets while the Cluster is there.
    const time = AbortSignal.timeout(9_000);
    expect(await waitUntilGone(client, handle, 'old', (line) => void lines.push(line), time)).toEqual([]);
    expect(lines).toEqual([]);
    expect((await waitOn([of(Kinds.cluster, { uid: 'new' })], 'new')).lines).toEqual(['deletion requested']);
  });

  it('reports each change once, and ends when everything is gone', async () => {
    const pods = ['vm-1', 'vm-2'].map((name) => of(Kinds.pod, { name, labels }));
    const { client } = await clientOf((response, _number, { path }) => {
      const isOfPods = path.includes('/pods?');
      if (path.includes('watch=true')) {
        response.writeHead(200).flushHeaders();
        const events = pods.flatMap((object) => [
          { type: 'MODIFIED', object },
          { type: 'DELETED', object },
        ]);
        if (isOfPods) for (const event of events) response.write(`${JSON.stringify(event)}\n`);
      } else if (path.includes('?')) {
        json(response, { metadata: { resourceVersion: '1' }, items: isOfPods ? pods : [] });
      } else refuse(response, 404);
    });
    const lines: string[] = [];
    const time = AbortSignal.timeout(20_000);
    expect(await waitUntilGone(client, handle, 'u', (line) => void lines.push(line), time)).toEqual([]);
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines.every((line) => /^Cluster gone; left: (2 pods|1 Pod)$/.test(line))).toBe(true);
  }, 20_000);

  it('rejects with a failure of the host, before its timeout', async () => {
    const { client } = await clientOf((response) => refuse(response, 400));
    const failure = await rejection(waitUntilGone(client, handle, 'u', () => undefined, AbortSignal.timeout(20_000)));
    expect(failure).toMatchObject({ status: 400 });
  });
});
