import { describe, expect, it } from 'vitest';
import { tieDisks } from '../../../../src/cluster/lifecycle/disks.ts';
import type { Metadata } from '../../../../src/host/api/objects.ts';
import { clientOf, json, refuse } from '../../host/server.ts';
import {
  child,
  cluster,
  deletionOf,
  gone,
  host,
  labels,
  owner,
  patchOf,
  pr,
  reference,
  tie,
  volumeTemplates,
  type Objects,
} from './disk-host.ts';

describe('tieDisks', () => {
  it('labels the disks of a machine for its Cluster, and adds the machine to their owners', async () => {
    const dataVolume = {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataVolume',
      name: 'pr-cp-abcde-rootfs',
      uid: 'd',
    };
    const claims = [{ name: 'pr-cp-abcde-rootfs', ownerReferences: [dataVolume] }, { name: 'pr-cp-abcde-data' }];
    expect((await tie(claims)).changes).toEqual([
      patchOf('pr-cp-abcde-rootfs', [dataVolume, owner]),
      patchOf('pr-cp-abcde-data', [owner]),
    ]);
  });

  it('does not label a disk twice', async () => {
    expect((await tie([{ name: 'pr-cp-abcde-rootfs', ownerReferences: [owner], labels }])).changes).toEqual([]);
  });

  it('retries when another client changed the disk meanwhile', async () => {
    expect((await tie([{ name: 'pr-cp-abcde-rootfs' }], { conflicts: 1 })).changes).toHaveLength(2);
  });

  it('labels the disks of a worker, and of a machine that is being deleted', async () => {
    const leaving = child('pr-md-0-x-y', 'u2', reference('Machine', 'm2'));
    const objects = {
      machinedeployments: [child('pr-md-0', 'md', cluster)],
      machinesets: [child('pr-md-0-x', 'ms', reference('MachineDeployment', 'md'))],
      machines: [child('pr-md-0-x-y', 'm2', reference('MachineSet', 'ms'))],
      virtinkmachines: [
        { metadata: { ...leaving.metadata, deletionTimestamp: '2026-11-24T13:00:00Z' }, spec: { volumeTemplates } },
      ],
    };
    const { changes } = await tie([{ name: 'pr-md-0-x-y-rootfs' }], { objects });
    expect(changes).toEqual([patchOf('pr-md-0-x-y-rootfs', [{ ...owner, name: 'pr-md-0-x-y', uid: 'u2' }])]);
  });

  it.each<[string, Objects]>([
    ['names no owner', { virtinkmachines: [{ ...child('pr-cp-abcde', 'u1'), spec: { volumeTemplates } }] }],
    [
      'belongs to another Cluster of that name',
      { kubeadmcontrolplanes: [child('pr-cp', 'cp', { ...cluster, uid: 'x' })] },
    ],
    ['belongs to a Machine that is gone', { machines: [] }],
    ['has no disks', { virtinkmachines: [child('pr-cp-abcde', 'u1', reference('Machine', 'm1'))] }],
  ])('does not touch the disk of a machine that %s', async (_what, changed) => {
    expect((await tie([{ name: 'pr-cp-abcde-rootfs' }], { objects: { ...host, ...changed } })).changes).toEqual([]);
  });

  it.each<[string, Partial<Metadata>]>([
    [
      'its label knest-action/cluster-uid is not cluster-pr',
      { labels: { ...labels, 'knest-action/cluster-uid': 'x' } },
    ],
    ['its label cluster.x-k8s.io/cluster-name is not pr', { labels: { 'cluster.x-k8s.io/cluster-name': 'x' } }],
    ['it belongs to StatefulSet db', { ownerReferences: [{ kind: 'StatefulSet', name: 'db', uid: 's' }] }],
    ['it is older than the machine pr-cp-abcde', { creationTimestamp: '2026-11-24T11:00:00Z' }],
  ])('does not touch a disk, whatever its name is, when %s', async (reason, metadata) => {
    const { changes, lines } = await tie([{ name: 'pr-cp-abcde-rootfs', ...metadata }]);
    expect(changes).toEqual([]);
    expect(lines).toEqual([`PersistentVolumeClaim pr-cp-abcde-rootfs is kept: ${reason}`]);
  });

  it('deletes a disk that it tied to a machine that is gone, with the uid and version it read, and logs that', async () => {
    const { changes, lines } = await tie([{ name: 'any', labels, ownerReferences: [gone] }]);
    expect(changes).toEqual([deletionOf('any')]);
    expect(lines).toEqual(['PersistentVolumeClaim any is deleted: its machine is gone']);
  });

  it.each<[string, Partial<Metadata>]>([
    ['has the name of a disk of our template', { name: 'pr-cp-fghij-rootfs' }],
    ['has the label of the cluster’s name', { labels: { 'cluster.x-k8s.io/cluster-name': 'pr' } }],
    ['has the labels of another Cluster of that name', { labels: { ...labels, 'knest-action/cluster-uid': 'x' } }],
    [
      'has the labels of another repository',
      { labels: { 'knest-action/repository-id': '4712', 'knest-action/managed': 'true' } },
    ],
    ['has all labels but one', { labels: { ...labels, 'knest-action/managed': 'false' } }],
    ['belongs to an existing machine', { labels, ownerReferences: [gone, owner] }],
    ['is being deleted', { labels, deletionTimestamp: '2026-11-24T12:00:00Z' }],
  ])('deletes no disk that %s', async (_what, metadata) => {
    expect((await tie([{ name: 'some', ownerReferences: [gone], ...metadata }])).changes).toEqual([]);
  });

  it('lists the machines after the disks, so that a machine that is created meanwhile does not count as gone', async () => {
    const { client, received } = await clientOf((response) => json(response, { items: [] }));
    await tieDisks(client, 'knest', [pr], { line: () => undefined });
    const plurals = received.map(({ path }) => /namespaces\/knest\/(\w+)/.exec(path)?.[1]);
    expect(plurals.slice(0, 2).sort()).toEqual(['datavolumes', 'persistentvolumeclaims']);
    expect(plurals.slice(2)).toEqual(['virtinkmachines']);
  });

  it('handles several clusters at once, and does not touch others', async () => {
    const main = { ...pr, name: 'main', uid: 'cluster-main' };
    const labelled = ({ name, uid }: typeof pr) => ({
      labels: { ...labels, 'cluster.x-k8s.io/cluster-name': name, 'knest-action/cluster-uid': uid },
      ownerReferences: [gone],
    });
    const claims = [
      { name: 'pr-cp-abcde-rootfs' },
      { name: 'of-main', ...labelled(main) },
      { name: 'of-old', ...labelled({ ...pr, name: 'old', uid: 'cluster-old' }) },
    ];
    const { changes } = await tie(claims, { clusters: [main, pr] });
    expect(changes).toEqual([patchOf('pr-cp-abcde-rootfs', [owner]), deletionOf('of-main')]);
  });

  it('sends nothing without a cluster', async () => {
    const { client, received } = await clientOf((response) => refuse(response, 500));
    await tieDisks(client, 'knest', [], { line: () => undefined });
    expect(received).toEqual([]);
  });

  it('changes nothing without such machines and disks, and rejects when it is forbidden', async () => {
    const log = { line: () => undefined };
    const nothing = await clientOf((response) => refuse(response, 404));
    await tieDisks(nothing.client, 'knest', [pr], log);
    expect(nothing.received.every(({ method }) => method === 'GET')).toBe(true);
    const refused = await clientOf((response) => refuse(response, 403));
    await expect(tieDisks(refused.client, 'knest', [pr], log)).rejects.toMatchObject({ status: 403 });
  });
});
