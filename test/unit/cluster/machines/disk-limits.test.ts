import { describe, expect, it } from 'vitest';
import { kubevirt } from '../../../../src/cluster/engines/kubevirt.ts';
import { virtualMachines as virtink } from '../../../../src/cluster/engines/virtink.ts';
import { checkDiskLimits } from '../../../../src/cluster/machines/disk-limits.ts';
import type { LimitRange } from '../../../../src/host/api/objects.ts';

type Limit = NonNullable<NonNullable<LimitRange['spec']>['limits']>[number];

const engine = kubevirt.virtualMachines ?? virtink;
const rangeOf = (...limits: readonly Limit[]): LimitRange => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name: 'small', namespace: 'knest' },
  spec: { limits },
});
const disk = (size: string) => ({ 'ephemeral-storage': size });

describe('checkDiskLimits', () => {
  it.each<[string, Limit]>([
    ['the default', { type: 'Container', default: disk('2Gi'), max: disk('100Gi') }],
    ['the maximum, without a default', { type: 'Container', max: disk('2Gi') }],
    ['the maximum of a pod', { type: 'Pod', max: disk('2Gi') }],
  ])('refuses machines whose pods request more than %s', (_what, limit) => {
    expect(() => checkDiskLimits([rangeOf(limit)], engine)).toThrow(
      expect.objectContaining({
        code: 'KNEST_INFRASTRUCTURE',
        problem: `LimitRange knest/small limits the ephemeral-storage of each ${limit.type.toLowerCase()} to 2Gi, and a machine requests 4144Mi`,
      }) as Error,
    );
    expect(checkDiskLimits([rangeOf(limit)], virtink)).toHaveLength(1);
  });

  it('reports a limit that the pods keep, since it ends their VMs later', () => {
    const ranges = [rangeOf({ type: 'Container', default: disk('4144Mi') }, { type: 'Pod', max: disk('9Gi') })];
    expect(checkDiskLimits(ranges, engine)).toEqual([
      'LimitRange knest/small limits the ephemeral-storage of each container to 4144Mi: the host ends a machine whose guest writes more than its pod may',
      'LimitRange knest/small limits the ephemeral-storage of each pod to 9Gi: the host ends a machine whose guest writes more than its pod may',
    ]);
  });

  it('says nothing of limits of other things', () => {
    const memory = { memory: '1Gi' };
    expect(checkDiskLimits([rangeOf({ type: 'Container', default: memory, max: memory })], engine)).toEqual([]);
    expect(checkDiskLimits([rangeOf({ type: 'PersistentVolumeClaim', max: disk('1Gi') })], engine)).toEqual([]);
    const { spec, ...bare } = rangeOf();
    expect(spec).toBeDefined();
    expect(checkDiskLimits([bare, rangeOf()], engine)).toEqual([]);
  });
});
