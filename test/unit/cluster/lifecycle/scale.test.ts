import { describe, expect, it } from 'vitest';
import { checkNoneLost, isScaled, removesMachines, type ScalePlan } from '../../../../src/cluster/lifecycle/scale.ts';
import type { KnestError } from '../../../../src/errors.ts';
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

describe('a scale to fewer machines', () => {
  const joined = (name: string, labels: Readonly<Record<string, string>>, deletionTimestamp?: string): Machine =>
    machineOf(name, {
      metadata: { labels, ...(deletionTimestamp !== undefined && { deletionTimestamp }) },
      status: { nodeRef: { name: `node-${name}` } },
    });
  const ofDeployment = (name: string): Readonly<Record<string, string>> => ({
    'cluster.x-k8s.io/deployment-name': name,
  });
  const machines = [
    joined('cp', controlPlaneLabels),
    joined('w', ofDeployment('pr-md-0')),
    joined('gpu', ofDeployment('pr-gpu')),
    joined('leaving', ofDeployment('pr-gpu'), '2026-11-22T19:00:00Z'),
    machineOf('new', { metadata: { labels: ofDeployment('pr-gpu') } }),
  ];
  const change = (kind: string, name: string, from: number | undefined, to: number): ScalePlan['workers'] => ({
    object: scalable(kind, name, from === undefined ? {} : { spec: { replicas: from } }),
    replicas: to,
  });
  const planned = (
    controlPlane: readonly [number | undefined, number] | undefined,
    workers: readonly [number | undefined, number] | undefined,
  ): ScalePlan => ({
    controlPlane: controlPlane && change('KubeadmControlPlane', 'pr-cp', ...controlPlane),
    workers: workers && change('MachineDeployment', 'pr-md-0', ...workers),
    machines: { controlPlane: 1, workers: 1 },
  });
  /** What keeps a scale from its beginning, of one volume on each of these nodes. */
  const lost = (plan: ScalePlan, ...nodes: readonly string[]): readonly string[] => {
    const volumes = nodes.map((node) => ({ title: node, nodes: node === '' ? ('any' as const) : [node] }));
    try {
      checkNoneLost({ name: 'pr', namespace: 'knest' }, volumes, machines, plan);
      return [];
    } catch (thrown) {
      expect(thrown).toMatchObject({
        code: 'KNEST_SCALE',
        problem: 'pr cannot be scaled: volumes on the disks of machines that may be removed would be lost',
        next: expect.stringContaining('delete the claims') as string,
      });
      return (thrown as KnestError).evidence;
    }
  };

  it('is one that lowers a number of replicas', () => {
    expect(removesMachines(planned([3, 1], [1, 2]))).toBe(true);
    expect(removesMachines(planned(undefined, [2, 1]))).toBe(true);
    expect(removesMachines(planned(undefined, [undefined, 0]))).toBe(true);
    expect(removesMachines(planned([1, 1], [undefined, 1]))).toBe(false);
    expect(removesMachines(planned([1, 3], undefined))).toBe(false);
  });

  it('loses none of the volumes on machines of the parts that keep theirs', () => {
    expect(lost(planned(undefined, [2, 1]), 'node-cp', 'node-gpu')).toEqual([]);
    expect(lost(planned([1, 3], [2, 1]), 'node-cp')).toEqual([]);
    expect(lost(planned([3, 1], undefined), 'node-w', 'node-gpu')).toEqual([]);
    expect(lost(planned([3, 1], [1, 2]), 'node-w')).toEqual([]);
  });

  it('is refused for volumes on the machines of parts that lose some, whichever these are', () => {
    const workers = planned(undefined, [2, 1]);
    expect(lost(workers, 'node-w', 'node-cp')).toEqual(['node-w, on node node-w']);
    expect(lost(workers, '', 'node-unknown')).toEqual([]);
    expect(lost(planned([3, 1], [1, 1]), 'node-cp', 'node-w')).toEqual(['node-cp, on node node-cp']);
    expect(lost(planned([3, 1], [2, 0]), 'node-cp', 'node-w', 'node-gpu')).toHaveLength(2);
  });
});
