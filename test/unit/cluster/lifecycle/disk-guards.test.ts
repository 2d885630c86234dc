import { describe, expect, it } from 'vitest';
import type { Metadata } from '../../../../src/host/api/objects.ts';
import { rejection } from '../../rejection.ts';
import { child, cluster, deletionOf, gone, host, labels, owner, patchOf, reference, tie } from './disk-host.ts';

const name = 'pr-cp-abcde-rootfs';

describe('tieDisks', () => {
  it.each<[string, Partial<Metadata>]>([
    ['has its owner but not its labels', { ownerReferences: [owner] }],
    ['has its owner but the labels of no Cluster', { ownerReferences: [owner], labels: { app: 'x' } }],
    ['has its labels but not its owner', { labels }],
  ])('ties a disk that %s', async (_what, metadata) => {
    const { changes, lines } = await tie([{ name, ...metadata }]);
    expect(changes).toEqual([patchOf(name, [owner])]);
    expect(lines).toEqual([]);
  });

  it('allows for a minute between the clocks of the API servers', async () => {
    const { changes } = await tie([{ name, creationTimestamp: '2026-11-24T11:59:00Z' }]);
    expect(changes).toEqual([patchOf(name, [owner])]);
    expect((await tie([{ name, creationTimestamp: '2026-11-24T11:58:59Z' }])).changes).toEqual([]);
  });

  it.each([
    ['DataVolume other', { kind: 'DataVolume', name: 'other', uid: 'd' }],
    [`Backup ${name}`, { kind: 'Backup', name, uid: 'b' }],
  ])('does not touch a disk that belongs to %s', async (other, reference) => {
    const { changes, lines } = await tie([{ name, ownerReferences: [reference] }]);
    expect(changes).toEqual([]);
    expect(lines).toEqual([`PersistentVolumeClaim ${name} is kept: it belongs to ${other}`]);
  });

  it('does not follow owner references in a circle', async () => {
    const objects = {
      ...host,
      kubeadmcontrolplanes: [],
      machines: [child('pr-cp-abcde', 'm1', reference('MachineSet', 'ms'))],
      machinesets: [child('ms', 'ms', reference('Machine', 'm1'))],
    };
    expect((await tie([{ name }], { objects })).changes).toEqual([]);
  });

  it('reads the owners of machines of these Clusters only, and of machines with disks only', async () => {
    const { reads } = await tie([{ name }]);
    const owners = reads.filter((path) => path.includes('/kubeadmcontrolplanes'));
    expect(owners).toEqual([expect.stringContaining('labelSelector=cluster.x-k8s.io/cluster-name+in+(pr)&')]);
    const withoutDisks = [child('pr-cp-abcde', 'u1', reference('Machine', 'm1'))];
    const other = await tie([{ name }], { objects: { ...host, virtinkmachines: withoutDisks } });
    expect(other.reads.filter((path) => path.includes('/kubeadmcontrolplanes'))).toEqual([]);
  });

  it('does not delete a disk with the uid of the Cluster and the name of another', async () => {
    const foreign = { ...labels, 'cluster.x-k8s.io/cluster-name': 'other' };
    expect((await tie([{ name: 'any', labels: foreign, ownerReferences: [gone] }])).changes).toEqual([]);
  });

  it('deletes a disk that has lost its owners', async () => {
    expect((await tie([{ name: 'any', labels }])).changes).toEqual([deletionOf('any')]);
  });

  it.each([409, 404])('leaves an orphan to the next look when the host answers %i', async (status) => {
    const { changes, lines } = await tie([{ name: 'any', labels, ownerReferences: [gone] }], { status });
    expect(changes).toEqual([deletionOf('any')]);
    expect(lines).toEqual([]);
  });

  it('ignores a disk that is gone when it is to be tied', async () => {
    expect((await tie([{ name }], { status: 404 })).changes).toHaveLength(1);
  });

  it('rejects when it may not write to disks', async () => {
    expect(await rejection(tie([{ name }], { status: 403 }))).toMatchObject({ status: 403 });
    const orphan = { name: 'any', labels, ownerReferences: [gone] };
    expect(await rejection(tie([orphan], { status: 403 }))).toMatchObject({ status: 403 });
  });

  it('labels a disk without what is not known of the Cluster', async () => {
    const { changes } = await tie([{ name }], {
      clusters: [{ name: 'pr', uid: cluster.uid, server: undefined, repositoryId: undefined }],
    });
    expect(changes).toHaveLength(1);
    expect(changes[0]).toContain('"knest-action/cluster-uid":"cluster-pr"');
    expect(changes[0]).not.toContain('repository-id');
  });
});
