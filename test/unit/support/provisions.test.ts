import { describe, expect, it } from 'vitest';
import { parts, type Part } from '../../host/modules.ts';
import { withoutVirtink } from '../../host/provisions.ts';

describe('a host without Virtink', () => {
  const partsOf = (...wanted: Part[]): Part[] => [...withoutVirtink(new Set(wanted))].sort();

  it('keeps KubeVirt, and what its machines alone have', () => {
    expect(partsOf(...parts)).toEqual(['in-memory', 'kubevirt', 'network', 'older-cluster-api', 'older-kubernetes']);
    expect(partsOf('kubevirt')).toEqual(['kubevirt']);
  });

  it('has in-memory machines in place of those of Virtink', () => {
    expect(partsOf('virtink')).toEqual(['in-memory']);
    expect(partsOf('virtink', 'kubevirt')).toEqual(['in-memory', 'kubevirt']);
    expect(partsOf('persistence', 'network', 'older-kubernetes')).toEqual(['in-memory']);
  });
});
