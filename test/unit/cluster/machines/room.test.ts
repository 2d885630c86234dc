import { describe, expect, it } from 'vitest';
import { findExceededQuota, findLackOfRoom } from '../../../../src/cluster/machines/room.ts';
import type { Node, Pod, ResourceQuota } from '../../../../src/host/api/objects.ts';

const pod = (cpu: string, memory: string, nodeName?: string, phase = 'Running'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'vm' },
  spec: {
    ...(nodeName !== undefined && { nodeName }),
    containers: [{ name: 'compute', resources: { requests: { cpu, memory } } }, { name: 'console' }],
  },
  status: { phase },
});
const node = (name: string, spec: Node['spec'] = {}, allocatable = { cpu: '1', memory: '4Gi' }): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { name } },
  spec,
  status: { allocatable },
});
const machine = pod('100m', '1Gi');

describe('room for one more machine', () => {
  it('is on a node where the requests of its pods leave enough', () => {
    expect(findLackOfRoom(machine, [node('a')], [pod('900m', '3Gi', 'a')])).toBeUndefined();
  });

  it.each([
    ['memory', pod('100m', '3073Mi', 'a'), 'Node a has 1023Mi of memory and 900m of CPU left of what pods can request'],
    ['CPU', pod('901m', '1Gi', 'a'), 'Node a has 3072Mi of memory and 99m of CPU left of what pods can request'],
  ])('is not where %s is taken', (_, other, line) => {
    expect(findLackOfRoom(machine, [node('a')], [other])).toEqual([
      'a machine requests 1024Mi of memory and 100m of CPU',
      line,
    ]);
  });

  it('is taken by no pod that has ended, or is elsewhere', () => {
    const others = [pod('1', '4Gi', 'a', 'Succeeded'), pod('1', '4Gi', 'a', 'Failed'), pod('1', '4Gi', 'b')];
    expect(findLackOfRoom(machine, [node('a')], others)).toBeUndefined();
  });

  it('is on no node that is cordoned, or that its pod does not select', () => {
    expect(findLackOfRoom(machine, [node('a', { unschedulable: true })], [])).toContain('Node a is cordoned');
    const selecting = { ...machine, spec: { ...machine.spec, nodeSelector: { name: 'b' } } };
    expect(findLackOfRoom(selecting, [node('a')], [])).toHaveLength(1);
    expect(findLackOfRoom(selecting, [node('a'), node('b')], [])).toBeUndefined();
  });
});

describe('a quota', () => {
  const quota = (hard: Record<string, string>, used: Record<string, string>, spec = {}): ResourceQuota => ({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'team' },
    spec,
    status: { hard, used },
  });

  it.each([
    ['pods', '3', '3'],
    ['requests.cpu', '1', '950m'],
    ['memory', '4Gi', '3073Mi'],
  ])('of %s is named when it is used up', (resource, hard, used) => {
    const line = `ResourceQuota team: ${resource} ${used} of ${hard} is used`;
    expect(findExceededQuota(machine, [quota({ [resource]: hard }, { [resource]: used })])).toBe(line);
  });

  it('that has enough left, or counts only some pods, refuses nothing', () => {
    expect(
      findExceededQuota(machine, [quota({ pods: '3', memory: '4Gi' }, { pods: '2', memory: '3Gi' })]),
    ).toBeUndefined();
    const some = { scopes: ['BestEffort'] };
    expect(findExceededQuota(machine, [quota({ pods: '1' }, { pods: '1' }, some)])).toBeUndefined();
  });
});
