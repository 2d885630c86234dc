import { describe, expect, it } from 'vitest';
import type { CleanupRules } from '../../../../src/cluster/expiry/policy.ts';
import { findLeftovers, type Leftovers } from '../../../../src/cluster/expiry/leftovers.ts';
import { clientOf, json, refuse } from '../../host/server.ts';

const now = Date.parse('2026-11-24T12:00:00Z');
const rules: CleanupRules = { server: 'github.com', repositoryId: '4711', now, closedPullRequests: new Set() };
const minutesAgo = (minutes: number): string => new Date(now - minutes * 60_000).toISOString();
const ours = {
  'knest-action/managed': 'true',
  'knest-action/server': 'github.com',
  'knest-action/repository-id': '4711',
};
const theirs = { ...ours, 'knest-action/repository-id': '4712' };

interface Given {
  readonly labels?: Readonly<Record<string, string>>;
  readonly cluster?: string;
  readonly clusterUid?: string;
  readonly created?: number;
  readonly deleted?: number;
  readonly finalizers?: readonly string[];
}

/** An object of a cluster; times in minutes before now. */
function objectOf(name: string, given: Given = {}) {
  const { labels = ours, cluster, clusterUid, created = 300, deleted, finalizers } = given;
  return {
    metadata: {
      name,
      namespace: 'knest',
      uid: `uid-${name}`,
      creationTimestamp: minutesAgo(created),
      labels: {
        ...labels,
        ...(cluster !== undefined && { 'cluster.x-k8s.io/cluster-name': cluster }),
        ...(clusterUid !== undefined && { 'knest-action/cluster-uid': clusterUid }),
      },
      ...(deleted !== undefined && { deletionTimestamp: minutesAgo(deleted) }),
      ...(finalizers !== undefined && { finalizers }),
    },
  };
}

type Host = Readonly<Record<string, readonly object[] | 403>>;

/** The leftovers on a host with these objects. Each look at the host sees the next set. */
async function find(...looks: readonly Host[]): Promise<Leftovers & { readonly paths: readonly string[] }> {
  let clusters = 0;
  const { client, received } = await clientOf((response, _number, { path }) => {
    const plural = /namespaces\/knest\/(\w+)/.exec(path)?.[1] ?? '';
    const look = looks[Math.min(clusters, looks.length - 1)] ?? {};
    // The list of clusters is the last one of a look.
    if (plural === 'clusters') clusters += 1;
    const objects = look[plural];
    if (objects === 403) refuse(response, 403);
    else if (path.startsWith('/apis/kubevirt.io/')) refuse(response, 404);
    else if (objects === undefined && plural === 'devmachines') refuse(response, 404);
    else json(response, { items: objects ?? [] });
  });
  const leftovers = await findLeftovers(client, 'knest', rules, 10);
  return { ...leftovers, paths: received.map(({ path }) => decodeURIComponent(path)) };
}

describe('findLeftovers', () => {
  it('finds nothing when every object has its Cluster and none is being deleted', async () => {
    const { found, unverified } = await find({
      clusters: [objectOf('pr')],
      machines: [objectOf('pr-cp-a', { cluster: 'pr' })],
      persistentvolumeclaims: [objectOf('pr-cp-a-rootfs', { cluster: 'pr', clusterUid: 'uid-pr' })],
    });
    expect(found).toEqual([]);
    expect(unverified).toEqual([]);
  });

  it('reports a deletion that does not end, with its age, its finalizers and what is left', async () => {
    const { found } = await find({
      clusters: [objectOf('pr', { deleted: 125, finalizers: ['cluster.cluster.x-k8s.io'] })],
      machines: [objectOf('pr-cp-a', { cluster: 'pr', deleted: 120, finalizers: ['machine.cluster.x-k8s.io'] })],
      virtualmachines: [objectOf('pr-cp-a', { cluster: 'pr' })],
    });
    expect(found).toEqual([
      {
        line:
          'knest: deletion requested 2h5m ago; Cluster pr waits for cluster.cluster.x-k8s.io; ' +
          'left: Machine pr-cp-a waits for machine.cluster.x-k8s.io, VirtualMachine pr-cp-a',
        isOverdue: true,
      },
    ]);
  });

  it.each<[string, string, Given, string]>([
    [
      'machines',
      'Machine',
      { deleted: 90, finalizers: ['held'] },
      ' waits for held; its Cluster gone is gone; deletion requested 1h30m ago',
    ],
    ['virtualmachines', 'VirtualMachine', {}, '; its Cluster gone is gone; created 5h ago'],
    ['virtinkmachines', 'VirtinkMachine', {}, '; its Cluster gone is gone; created 5h ago'],
    ['datavolumes', 'DataVolume', {}, '; its Cluster gone is gone; created 5h ago'],
    ['persistentvolumeclaims', 'PersistentVolumeClaim', {}, '; its Cluster gone is gone; created 5h ago'],
  ])('reports an object without its Cluster: %s', async (plural, kind, given, rest) => {
    const { found, paths } = await find({
      clusters: [objectOf('pr')],
      [plural]: [objectOf('a', { cluster: 'gone', ...given })],
    });
    expect(found).toMatchObject([{ line: `knest: ${kind} a${rest}`, isOverdue: true }]);
    expect(paths.find((path) => path.includes(`/${plural}?`))).toContain('labelSelector=knest-action/managed=true');
  });

  it('recognises a disk of an earlier cluster with the same name by the uid', async () => {
    const disk = objectOf('pr-cp-a-rootfs', { cluster: 'pr', clusterUid: 'uid-earlier' });
    const { found } = await find({ clusters: [objectOf('pr')], persistentvolumeclaims: [disk] });
    expect(found).toMatchObject([{ isOverdue: true }]);
  });

  it.each<[string, Given]>([
    ['of another repository', { labels: theirs }],
    ['of another server', { labels: { ...ours, 'knest-action/server': 'ghe.example' } }],
  ])('reports an object %s, but not as overdue', async (_what, given) => {
    const { found } = await find({
      clusters: [objectOf('pr', { deleted: 125, ...given })],
      machines: [objectOf('a', { cluster: 'gone', ...given })],
    });
    expect(found.map(({ isOverdue }) => isOverdue)).toEqual([false, false]);
    expect(found.every(({ line }) => line.endsWith(', of another repository') || line.includes('repository; '))).toBe(
      true,
    );
  });

  it('reports what is younger than an hour, but not as overdue', async () => {
    const { found } = await find({
      clusters: [objectOf('pr', { deleted: 59 })],
      machines: [objectOf('a', { cluster: 'gone', created: 59 }), objectOf('b', { cluster: 'gone', deleted: 59 })],
    });
    expect(found.map(({ isOverdue }) => isOverdue)).toEqual([false, false, false]);
  });

  it('does not report clusters that this action did not create', async () => {
    expect((await find({ clusters: [objectOf('pr', { labels: {}, deleted: 125 })] })).found).toEqual([]);
  });

  it('looks again before it reports an orphan: one that was deleted meanwhile is not reported', async () => {
    const machines = [objectOf('a', { cluster: 'gone' }), objectOf('b', { cluster: 'gone' })];
    const { found } = await find({ machines }, { machines: machines.slice(1) });
    expect(found.map(({ line }) => line)).toEqual(['knest: Machine b; its Cluster gone is gone; created 5h ago']);
  });

  it('lists the Clusters last, so that one that is created meanwhile is found', async () => {
    const { paths } = await find({});
    expect(paths.at(-1)).toMatch(/\/clusters\?/);
  });

  it('names the kinds that it may not list', async () => {
    const { unverified } = await find({ virtualmachines: 403, persistentvolumeclaims: 403 });
    expect([...unverified].sort()).toEqual(['persistentvolumeclaims', 'virtualmachines']);
  });
});
