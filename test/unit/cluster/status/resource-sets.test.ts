import { describe, expect, it } from 'vitest';
import { isApplied, problemOfSet } from '../../../../src/cluster/status/resource-sets.ts';
import type { ClusterResourceSet } from '../../../../src/host/api/cluster-api-objects.ts';
import { condition } from '../samples.ts';

/** A set with the messages of its conditions in both generations; undefined where it has no such condition. */
function set(status: 'True' | 'False', message?: string, old?: string): ClusterResourceSet {
  const conditions = (text: string | undefined) =>
    text === undefined ? [] : [condition('ResourcesApplied', status, { message: text })];
  return {
    apiVersion: 'addons.cluster.x-k8s.io/v1beta2',
    kind: 'ClusterResourceSet',
    metadata: { name: 'pr-addons' },
    status: { conditions: conditions(message), deprecated: { v1beta1: { conditions: conditions(old) } } },
  };
}

describe('problemOfSet', () => {
  it.each<[ClusterResourceSet, string | undefined]>([
    [set('True', '', ''), undefined],
    [set('True', '', 'an error from before'), undefined],
    [set('False', 'Failed to apply', 'creating object\nx: denied'), 'is not applied yet: creating object x: denied'],
    [set('False', 'Failed to apply', ''), 'is not applied yet: Failed to apply'],
    [set('False', 'Failed to apply'), 'is not applied yet: Failed to apply'],
    [set('False', ''), 'is not applied yet'],
    [set('False'), 'is not applied yet'],
    [set('False', '', 'x'.repeat(501)), `is not applied yet: ${'x'.repeat(500)}…`],
  ])('of %o', (object, problem) => {
    expect(problemOfSet(object)).toBe(problem);
    expect(isApplied(object)).toBe(problem === undefined);
  });
});
