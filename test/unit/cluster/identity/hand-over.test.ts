import { describe, expect, it } from 'vitest';
import { Annotations, Labels, type Marks } from '../../../../src/cluster/identity/identity.ts';
import {
  checkOwner,
  handOverCommand,
  proofOfClaim,
  proofOfRepository,
} from '../../../../src/cluster/identity/ownership.ts';
import type { Metadata } from '../../../../src/host/api/objects.ts';
import { clusterOf } from '../samples.ts';

const labels = { [Labels.managed]: 'true', [Labels.server]: 'github.com', [Labels.repositoryId]: '4711' };
const proof = proofOfRepository({ server: 'github.com', repositoryId: '4711' });

function clusterWith(metadata: Partial<Metadata>) {
  const cluster = clusterOf();
  return { ...cluster, metadata: { ...cluster.metadata, ...metadata } };
}

describe('handOverCommand', () => {
  const command = (metadata: Partial<Metadata>) => handOverCommand(clusterWith(metadata), labels);
  const whole =
    'kubectl label clusters.cluster.x-k8s.io pr --namespace knest knest-action/managed=true knest-action/server=github.com knest-action/repository-id=4711';

  it('labels a cluster without an owner as one of the repository', () => {
    expect(command({})).toBe(whole);
    expect(command({ labels: { a: 'b', [Labels.managed]: 'true' } })).toBe(whole);
    expect(() => checkOwner(clusterWith({}), proof, 'used')).toThrow(
      expect.objectContaining({ next: `to hand it to this repository, its owner runs: ${whole}` }),
    );
    const given = whole
      .split(' ')
      .slice(6)
      .map((text) => text.split('='));
    expect(() => checkOwner(clusterWith({ labels: Object.fromEntries(given) as Marks }), proof, 'used')).not.toThrow();
  });

  it.each<[string, Partial<Metadata>]>([
    ['has the label of another repository', { labels: { [Labels.repositoryId]: '666' } }],
    ['has the label of another server', { labels: { [Labels.server]: 'ghe.example' } }],
    ['names another owner', { annotations: { [Annotations.repository]: 'evil/corp' } }],
  ])('does not exist for a cluster that %s', (_what, metadata) => {
    expect(command(metadata)).toBeUndefined();
    expect(() => checkOwner(clusterWith(metadata), proof, 'used')).toThrow(
      expect.objectContaining({ next: 'have it used from where it was created' }),
    );
  });

  it.each(['a; rm -rf ~', '$(id)', 'a`id`', '-f', "a'b", 'a b', 'a\nb', ''])(
    'does not exist for the name %j',
    (name) => {
      expect(command({ name })).toBeUndefined();
      expect(command({ namespace: name })).toBeUndefined();
    },
  );

  it('is not suggested when a cluster must have the claim of this use', () => {
    expect(() =>
      checkOwner(clusterWith({}), proofOfClaim({ repository: labels, claim: 'c', unsettled: {} }), 'deleted'),
    ).toThrow(expect.objectContaining({ next: 'have it deleted from where it was created' }));
  });
});
