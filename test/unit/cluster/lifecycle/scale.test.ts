import { describe, expect, it } from 'vitest';
import { isScaled, type ScalePlan } from '../../../../src/cluster/lifecycle/scale.ts';
import type { Machine } from '../../../../src/host/api/cluster-api-objects.ts';
import { controlPlaneLabels, machineOf, scalable, viewOf } from '../samples.ts';

describe('isScaled', () => {
  const status = { nodeRef: { name: 'n' } };
  const leaving = { deletionTimestamp: '2026-11-22T19:00:00Z' };
  const member = machineOf('cp', { metadata: { labels: controlPlaneLabels }, status });
  const labels = { 'cluster.x-k8s.io/deployment-name': 'pr-md-0' };
  const worker = machineOf('w', { metadata: { labels }, status });
  const machines = { controlPlane: 1, workers: 1 }; // only for messages
  const controlPlane = { object: scalable('KubeadmControlPlane', 'pr-cp'), replicas: 1 };
  const workers = { object: scalable('MachineDeployment', 'pr-md-0'), replicas: 1 };
  const plan: ScalePlan = { controlPlane, workers, machines };
  const scaled = (...found: readonly Machine[]): boolean => isScaled(viewOf({ machines: found }), plan);

  it('is true for exactly these machines, in any order', () => {
    expect(scaled(member, worker)).toBe(true);
    expect(scaled(worker, member)).toBe(true);
    expect(isScaled(viewOf({ machines: [member] }), { ...plan, workers: { ...workers, replicas: 0 } })).toBe(true);
  });

  it('ignores machines that stay the same', () => {
    const other = machineOf('gpu', { metadata: { labels: { 'cluster.x-k8s.io/deployment-name': 'pr-gpu' } } });
    expect(scaled(member, worker, other)).toBe(true);
    expect(isScaled(viewOf({ machines: [worker] }), { ...plan, controlPlane: undefined })).toBe(true);
    expect(isScaled(viewOf({ machines: [member] }), { ...plan, workers: undefined })).toBe(true);
  });

  it.each<[string, readonly Machine[]]>([
    ['a worker is missing', [member]],
    ['there is one worker too many', [member, worker, worker]],
    ['the total is right, but the roles are not', [worker, worker]],
    ['a control plane takes the place of a worker', [member, member]],
    ['a worker is not a node yet', [member, machineOf('w', { metadata: { labels } })]],
    ['the control plane is not a node yet', [machineOf('cp', { metadata: { labels: controlPlaneLabels } }), worker]],
    ['a required worker is being deleted', [member, machineOf('w', { metadata: { labels, ...leaving }, status })]],
    [
      'a surplus worker is not gone yet',
      [member, worker, machineOf('w2', { metadata: { labels, ...leaving }, status })],
    ],
    [
      'a surplus worker that was never a node is not gone yet',
      [member, worker, machineOf('w2', { metadata: { labels, ...leaving } })],
    ],
    ['there are no machines', []],
  ])('is false while %s', (_why, machines) => {
    expect(scaled(...machines)).toBe(false);
  });
});
