import { describe, expect, it } from 'vitest';
import { isScaled, wantedReplicas } from '../../../src/cluster/scale.ts';
import type { Machine } from '../../../src/host/objects.ts';
import { controlPlaneLabels, machineOf, scalable, viewOf } from './samples.ts';

describe('wantedReplicas', () => {
  const controlPlane = scalable('KubeadmControlPlane', 'pr-cp', { spec: { replicas: 3 } });
  const workers = scalable('MachineDeployment', 'pr-md-0', { spec: { replicas: 2 } });
  const asIs = { controlPlane: undefined, workers: undefined };

  it.each([
    [
      { controlPlane: 5, workers: 4 },
      { controlPlane: 5, workers: 4 },
    ],
    [
      { controlPlane: 5, workers: undefined },
      { controlPlane: 5, workers: 2 },
    ],
    [
      { controlPlane: undefined, workers: 0 },
      { controlPlane: 3, workers: 0 },
    ],
    [asIs, { controlPlane: 3, workers: 2 }],
  ])('of %o are %o: those asked for, else those there are', (replicas, wanted) => {
    expect(wantedReplicas({ controlPlane, workers }, replicas)).toEqual(wanted);
  });

  it('are what Kubernetes takes where nothing is written', () => {
    const bare = scalable('KubeadmControlPlane', 'pr-cp');
    expect(wantedReplicas({ controlPlane: bare, workers: undefined }, asIs)).toEqual({ controlPlane: 1, workers: 0 });
    expect(wantedReplicas({ controlPlane, workers: scalable('MachineDeployment', 'md') }, asIs).workers).toBe(0);
  });
});

describe('isScaled', () => {
  const status = { nodeRef: { name: 'n' } };
  const leaving = { deletionTimestamp: '2026-11-22T19:00:00Z' };
  const member = machineOf('cp', { metadata: { labels: controlPlaneLabels }, status });
  const worker = machineOf('w', { status });
  const wanted = { controlPlane: 1, workers: 1 };
  const scaled = (...machines: readonly Machine[]): boolean => isScaled(viewOf({ machines }), wanted);

  it('wants exactly these machines, whatever their order', () => {
    expect(scaled(member, worker)).toBe(true);
    expect(scaled(worker, member)).toBe(true);
    expect(isScaled(viewOf({ machines: [member] }), { controlPlane: 1, workers: 0 })).toBe(true);
  });

  it.each<[string, readonly Machine[]]>([
    ['a worker is not there', [member]],
    ['a worker is too many', [member, worker, worker]],
    ['the numbers are right, the roles are not', [worker, worker]],
    ['a control plane is in the place of a worker', [member, member]],
    ['a worker is no node yet', [member, machineOf('w')]],
    ['the control plane is no node yet', [machineOf('cp', { metadata: { labels: controlPlaneLabels } }), worker]],
    ['a worker leaves that is still wanted', [member, machineOf('w', { metadata: leaving, status })]],
    ['a worker leaves and is not gone', [member, worker, machineOf('w2', { metadata: leaving, status })]],
    ['a worker leaves that never was a node', [member, worker, machineOf('w2', { metadata: leaving })]],
    ['there is none', []],
  ])('waits while %s', (_why, machines) => {
    expect(scaled(...machines)).toBe(false);
  });
});
