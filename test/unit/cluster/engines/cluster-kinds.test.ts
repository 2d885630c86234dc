import { describe, expect, it } from 'vitest';
import {
  AWAITED_EVERYWHERE,
  AWAITED_WHERE_SERVED,
  AWAITED_KINDS,
  COUNTED_KINDS,
  DISK_KINDS,
  FOLLOWED_KINDS,
  LASTING_KINDS,
  PART_KINDS,
} from '../../../../src/cluster/engines/cluster-kinds.ts';
import { ENGINES } from '../../../../src/cluster/engines/engines.ts';
import type { Kind } from '../../../../src/host/api/kinds.ts';

const named = (kinds: readonly Kind[]): string[] => kinds.map(({ kind }) => kind);

describe('the kinds of a cluster', () => {
  it('that a deletion waits for are each followed, common or of some clusters, and no kind is two of these', () => {
    const all = [...Object.values<Kind>(FOLLOWED_KINDS), ...AWAITED_EVERYWHERE, ...AWAITED_WHERE_SERVED];
    expect(named(all).sort()).toEqual(named(AWAITED_KINDS).sort());
    expect(new Set(AWAITED_KINDS).size).toBe(AWAITED_KINDS.length);
  });

  it('that a deletion counts, and those that outlive their Cluster, are waited for', () => {
    expect(named([...COUNTED_KINDS, ...LASTING_KINDS].filter((kind) => !AWAITED_KINDS.includes(kind)))).toEqual([]);
    expect(LASTING_KINDS).toEqual(expect.arrayContaining([...DISK_KINDS]));
  });

  it('have those of every engine: its machines last, and what refers to them shows them', () => {
    for (const { kinds, virtualMachines } of ENGINES) {
      const own = [
        ...Object.values<Kind>({ ...kinds }),
        ...(virtualMachines === undefined ? [] : [virtualMachines.kind, ...virtualMachines.madeFrom]),
      ];
      expect(AWAITED_KINDS).toEqual(expect.arrayContaining(own));
      if (kinds === undefined) continue;
      expect(LASTING_KINDS).toContain(kinds.machine);
      expect(PART_KINDS).toEqual(expect.arrayContaining([kinds.cluster, kinds.machine]));
    }
  });

  it('are counted in the order in which they go', () => {
    expect(named(COUNTED_KINDS)).toEqual([
      'Machine',
      'VirtualMachine',
      'VirtualMachineInstance',
      'Pod',
      'PersistentVolumeClaim',
      'IPPool',
    ]);
  });
});
