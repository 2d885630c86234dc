import { describe, expect, it } from 'vitest';
import { Annotations } from '../../../../src/cluster/identity/identity.ts';
import { resourceSet } from '../../../../src/cluster/addons/resource-set.ts';
import type { KubernetesObject, Secret } from '../../../../src/host/api/objects.ts';
import { identity } from '../samples.ts';

/** A ConfigMap with so many bytes of text. */
function object(name: string, bytes = 10): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { text: 'ä'.repeat(bytes / 2) } } as never;
}

const made = (...objects: KubernetesObject[]): readonly KubernetesObject[] =>
  resourceSet({ description: 'a CNI', objects }, identity);
const held = (secret: KubernetesObject): string[] => {
  const text = Buffer.from((secret as Secret).data?.['objects'] ?? '', 'base64').toString('utf8');
  return (JSON.parse(text) as KubernetesObject[]).map(({ metadata }) => metadata.name);
};

describe('resourceSet', () => {
  it('is empty without a CNI', () => expect(made()).toEqual([]));

  it('installs the objects in that cluster, once, from a Secret with the type that Cluster API requires', () => {
    const [secret, set, ...others] = made(object('a'), object('b'));
    expect(others).toEqual([]);
    expect(secret).toMatchObject({ kind: 'Secret', type: 'addons.cluster.x-k8s.io/resource-set' });
    expect(held(secret as Secret)).toEqual(['a', 'b']);
    expect(set).toMatchObject({
      apiVersion: 'addons.cluster.x-k8s.io/v1beta2',
      kind: 'ClusterResourceSet',
      metadata: { name: 'pr-cni' },
      spec: {
        strategy: 'ApplyOnce',
        clusterSelector: { matchLabels: { 'cluster.x-k8s.io/cluster-name': 'pr' } },
        resources: [{ kind: 'Secret', name: 'pr-cni' }],
      },
    });
  });

  it('labels each object with its cluster and owner', () => {
    for (const { metadata } of made(object('a'))) {
      expect(metadata).toEqual({
        name: 'pr-cni',
        namespace: 'knest',
        labels: { 'cluster.x-k8s.io/cluster-name': 'pr', ...identity.repository },
        annotations: { [Annotations.repository]: identity.annotations[Annotations.repository] },
      });
    }
  });

  it('is split into as many Secrets as its size needs, in order', () => {
    const objects = made(object('a', 500_000), object('b', 300_000), object('c', 300_000), object('d'));
    const secrets = objects.slice(0, -1);
    expect(secrets.map(held)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(objects.at(-1)).toMatchObject({
      spec: {
        resources: [
          { kind: 'Secret', name: 'pr-cni' },
          { kind: 'Secret', name: 'pr-cni-2' },
        ],
      },
    });
    expect(secrets.map(({ metadata }) => metadata.name)).toEqual(['pr-cni', 'pr-cni-2']);
    for (const secret of secrets) {
      expect(Buffer.from((secret as Secret).data?.['objects'] ?? '', 'base64').length).toBeLessThan(2 ** 20);
    }
  });

  it('refuses an object that is too large for a Secret', () => {
    expect(() => made(object('a'), object('giant', 1_000_000))).toThrow(
      /^1 input cannot be used; nothing was created \(KNEST_INPUT\)\ncni: ConfigMap giant has 10000\d\d bytes/,
    );
  });
});
