import { expect, it } from 'vitest';
import type { Snapshot } from '../../../../src/cluster/diagnostics/snapshot.ts';
import { conditionsTree } from '../../../../src/cluster/diagnostics/conditions-tree.ts';
import {
  clusterOf,
  condition,
  machineOf,
  ownedBy,
  podOf,
  scalable,
  viewOf,
  virtualMachineOf,
  waitingInit,
} from '../samples.ts';

const now = Date.parse('2026-11-22T20:00:00Z');

function snapshotOf(parts: Partial<Snapshot>): Snapshot {
  return { view: viewOf(), parts: [], unread: [], ...parts };
}

it('shows all conditions with their age, from the Cluster down to the pods', () => {
  const cluster = clusterOf({
    spec: { infrastructureRef: { kind: 'VirtinkCluster', name: 'pr' } },
    status: {
      phase: 'Provisioned',
      conditions: [
        condition('Available', 'False', { reason: 'NotAvailable', lastTransitionTime: '2026-11-22T19:59:00Z' }),
        condition('Deleting', 'False', { reason: 'NotDeleting' }),
      ],
    },
  });
  const controlPlane = scalable('KubeadmControlPlane', 'pr-cp', { spec: { replicas: 1 }, status: {} });
  const workers = scalable('MachineDeployment', 'pr-md-0', { spec: { replicas: 0 } });
  const machine = machineOf('pr-cp-x', {
    metadata: ownedBy(controlPlane),
    status: {
      phase: 'Provisioning',
      conditions: [condition('BootstrapConfigReady', 'True'), condition('NodeReady', 'Unknown', { message: 'a\n  b' })],
    },
  });
  const pod = podOf('pr-cp-x', { phase: 'Pending', ...waitingInit('rootfs', 'image:1', 'ErrImagePull', 'not found') });
  const view = viewOf({
    cluster,
    controlPlanes: [controlPlane],
    machineDeployments: [workers],
    machines: [machine],
    virtualMachines: [virtualMachineOf('pr-cp-x', { phase: 'Scheduling' })],
    pods: [pod],
  });
  const part = (kind: string, name: string) => ({ apiVersion: 'v1', kind, metadata: { name } });
  const parts = [part('VirtinkCluster', 'pr'), part('VirtinkMachine', 'pr-cp-x'), part('KubeadmConfig', 'pr-cp-x')];
  expect(conditionsTree(snapshotOf({ view, parts }), now)).toEqual([
    'Cluster pr (Provisioned)',
    '  ✖ Available is False for 1m (NotAvailable)',
    '  ✔ Deleting is False (NotDeleting)',
    '  VirtinkCluster pr',
    '  KubeadmControlPlane pr-cp (0 of 1 ready)',
    '    Machine pr-cp-x (Provisioning)',
    '      ✔ BootstrapConfigReady is True (no reason)',
    '      ✖ NodeReady is Unknown (no reason): a b',
    '      KubeadmConfig pr-cp-x',
    '      VirtinkMachine pr-cp-x',
    '      VirtualMachine pr-cp-x (Scheduling)',
    '        Pod vm-pr-cp-x (Pending)',
    '          Pod knest/vm-pr-cp-x, init container rootfs: ErrImagePull: not found',
    '  MachineDeployment pr-md-0 (0 of 0 ready)',
  ]);
});

it('shows machines without a parent, and objects that are being deleted', () => {
  const machine = machineOf('alone', { metadata: { deletionTimestamp: '2026-11-22T19:59:00Z' } });
  const tree = conditionsTree(snapshotOf({ view: viewOf({ cluster: clusterOf(), machines: [machine] }) }), now);
  expect(tree).toEqual(['Cluster pr', '  Machine alone, deleted since 2026-11-22T19:59:00Z']);
});

it('lists what could not be read', () => {
  const unread = ['cannot read machines: forbidden'];
  expect(conditionsTree(snapshotOf({ unread }), now)).toEqual(['the Cluster could not be read', ...unread]);
});
