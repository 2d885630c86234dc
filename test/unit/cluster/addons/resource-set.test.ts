import { describe, expect, it } from 'vitest';
import { Annotations } from '../../../../src/cluster/identity/identity.ts';
import type { Manifest } from '../../../../src/cluster/addons/manifest.ts';
import { hasCni, resourceSet } from '../../../../src/cluster/addons/resource-set.ts';
import type { KubernetesObject, Secret } from '../../../../src/host/api/objects.ts';
import { identity } from '../samples.ts';

/** A ConfigMap with so many bytes of text. */
function object(name: string, bytes = 10): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { text: 'ä'.repeat(bytes / 2) } } as never;
}

const manifest = (...objects: KubernetesObject[]): Manifest => ({ description: 'some objects', objects });
const none: Manifest = { description: 'none', objects: [] };
const made = (...objects: KubernetesObject[]): readonly KubernetesObject[] =>
  resourceSet({ cni: manifest(...objects), addons: none }, identity);
const namesOf = (objects: readonly KubernetesObject[]): string[] => objects.map(({ metadata }) => metadata.name);
/** What a Secret holds, by its keys, in the order in which Cluster API reads them. */
const held = (secret: KubernetesObject): [string, string][] =>
  Object.entries((secret as Secret).data ?? {})
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, data]) => {
      const { metadata } = JSON.parse(Buffer.from(data, 'base64').toString('utf8')) as KubernetesObject;
      return [key, metadata.name];
    });

describe('resourceSet', () => {
  it('is empty without a CNI and add-ons', () => expect(made()).toEqual([]));

  it('installs the objects in that cluster, once, from a Secret with the type that Cluster API requires', () => {
    const [secret, set, ...others] = made(object('a'), object('b'));
    expect(others).toEqual([]);
    expect(secret).toMatchObject({ kind: 'Secret', type: 'addons.cluster.x-k8s.io/resource-set' });
    expect(held(secret as Secret)).toEqual([
      ['000', 'a'],
      ['001', 'b'],
    ]);
    expect(set).toMatchObject({
      apiVersion: 'addons.cluster.x-k8s.io/v1beta2',
      kind: 'ClusterResourceSet',
      metadata: { name: 'pr-addons', annotations: { [Annotations.addons]: 'none' } },
      spec: {
        strategy: 'ApplyOnce',
        clusterSelector: { matchLabels: { 'cluster.x-k8s.io/cluster-name': 'pr' } },
        resources: [{ kind: 'Secret', name: 'pr-cni' }],
      },
    });
    expect(hasCni(set as KubernetesObject, 'pr')).toBe(true);
  });

  it('is one set for the CNI and the add-ons, the CNI first', () => {
    const objects = resourceSet({ cni: manifest(object('network')), addons: manifest(object('a')) }, identity);
    expect(namesOf(objects)).toEqual(['pr-cni', 'pr-addons', 'pr-addons']);
    expect(objects.at(-1)).toMatchObject({
      kind: 'ClusterResourceSet',
      metadata: { annotations: { [Annotations.addons]: 'some objects' } },
      spec: { resources: [{ name: 'pr-cni' }, { name: 'pr-addons' }] },
    });
    const [, set] = resourceSet({ cni: none, addons: manifest(object('a')) }, identity);
    expect(hasCni(set as KubernetesObject, 'pr')).toBe(false);
  });

  it('labels each object with its cluster and owner', () => {
    const [secret, set] = made(object('a'));
    const labels = { 'cluster.x-k8s.io/cluster-name': 'pr', ...identity.repository };
    const repository = { [Annotations.repository]: identity.annotations[Annotations.repository] };
    expect(secret?.metadata).toEqual({ name: 'pr-cni', namespace: 'knest', labels, annotations: repository });
    expect(set?.metadata).toMatchObject({ name: 'pr-addons', namespace: 'knest', labels, annotations: repository });
  });

  it('is sorted as a whole, then split into as many Secrets as its size needs', () => {
    const definition = { ...object('crd', 300_000), apiVersion: 'apiextensions.k8s.io/v1' };
    const last = { ...definition, kind: 'CustomResourceDefinition' };
    const objects = made(object('a', 600_000), object('b', 300_000), object('c', 300_000), object('d'), last);
    const secrets = objects.slice(0, -1);
    expect(secrets.map((secret) => held(secret).map(([, name]) => name))).toEqual([
      ['crd', 'a'],
      ['b', 'c', 'd'],
    ]);
    expect(namesOf(secrets)).toEqual(['pr-cni', 'pr-cni-2']);
    expect(objects.at(-1)).toMatchObject({
      spec: {
        resources: [
          { kind: 'Secret', name: 'pr-cni' },
          { kind: 'Secret', name: 'pr-cni-2' },
        ],
      },
    });
    for (const { data = {} } of secrets as Secret[]) {
      const bytes = Object.values(data).reduce((sum, text) => sum + Buffer.from(text, 'base64').length, 0);
      expect(bytes).toBeLessThan(2 ** 20);
    }
  });

  it('keeps the order under keys that are read alphabetically, also of a thousand objects and more', () => {
    const secrets = made(...Array.from({ length: 1001 }, (_, index) => object(`o-${index}`))).slice(0, -1);
    expect(namesOf(secrets)).toEqual(['pr-cni', 'pr-cni-2']);
    expect(held(secrets[0] as Secret).map(([, name]) => name)).toEqual(
      Array.from({ length: 1000 }, (_, index) => `o-${index}`),
    );
    expect(secrets.map((secret) => held(secret).at(-1))).toEqual([
      ['999', 'o-999'],
      ['000', 'o-1000'],
    ]);
  });

  it('refuses an object that is too large for a Secret', () => {
    const giant = manifest(object('a'), object('giant', 1_100_000));
    const problem = (input: string): RegExp =>
      new RegExp(`^1 input cannot be used; .*\\n${input}: ConfigMap giant has 11000\\d\\d bytes; .* at most 1000000$`);
    expect(() => resourceSet({ cni: giant, addons: none }, identity)).toThrow(problem('cni'));
    expect(() => resourceSet({ cni: none, addons: giant }, identity)).toThrow(problem('addons'));
  });
});
