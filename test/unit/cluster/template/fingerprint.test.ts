import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../../../src/cluster/template/fingerprint.ts';
import { withOwner } from '../../../../src/cluster/identity/owner-labels.ts';
import { clusterOf, identity, scalable } from '../samples.ts';

const cluster = clusterOf({ spec: { paused: false } });
const deployment = scalable('MachineDeployment', 'pr-md-0', { spec: { replicas: 2 } });

describe('fingerprint', () => {
  it('is the same for every owner', () => {
    const other = { ...identity, owner: { ...identity.owner, a: 'b' }, annotations: { 'knest-action/claim': 'x' } };
    const of = (owner: typeof identity) => fingerprint([cluster, deployment].map((one) => withOwner(one, owner)));
    expect(of({ ...other, owner: { ...identity.owner, 'knest-action/run-id': '9' } })).toBe(of(identity));
    expect(of(identity)).toMatch(/^[0-9a-f]{16}$/);
  });

  it('differs for different objects', () => {
    const prints = [
      [cluster, deployment],
      [cluster],
      [cluster, { ...deployment, spec: { replicas: 3 } }],
      [cluster, { ...deployment, metadata: { ...deployment.metadata, labels: { a: 'b' } } }],
    ].map((objects) => fingerprint(objects));
    expect(new Set(prints).size).toBe(prints.length);
  });
});
