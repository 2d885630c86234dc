import { describe, expect, it } from 'vitest';
import { inCreationOrder } from '../../../../src/cluster/addons/creation-order.ts';
import type { KubernetesObject } from '../../../../src/host/api/objects.ts';

function object(kind: string, name: string, apiVersion = 'v1'): KubernetesObject {
  return { apiVersion, kind, metadata: { name } };
}

const CRD = 'apiextensions.k8s.io/v1';
const shuffled = [
  object('Widget', 'of-a-later-definition', 'example.com/v1'),
  object('Deployment', 'controller', 'apps/v1'),
  object('CustomResourceDefinition', 'widgets.example.com', CRD),
  object('ConfigMap', 'in-a-later-namespace'),
  object('Namespace', 'system'),
  object('Secret', 'last'),
  object('CustomResourceDefinition', 'gadgets.example.com', CRD),
  object('Namespace', 'another'),
];

describe('inCreationOrder', () => {
  it('puts Namespaces and CustomResourceDefinitions first, and keeps the order of the rest', () => {
    expect(inCreationOrder(shuffled).map(({ metadata }) => metadata.name)).toEqual([
      'system',
      'another',
      'widgets.example.com',
      'gadgets.example.com',
      'of-a-later-definition',
      'controller',
      'in-a-later-namespace',
      'last',
    ]);
  });

  it('does the same whatever the order of the file', () => {
    const heads = [shuffled, shuffled.toReversed()].map((objects) =>
      inCreationOrder(objects)
        .slice(0, 4)
        .map(({ kind }) => kind),
    );
    for (const kinds of heads) {
      expect(kinds).toEqual(['Namespace', 'Namespace', 'CustomResourceDefinition', 'CustomResourceDefinition']);
    }
  });

  it('goes by the API group: another kind may have the same name', () => {
    const objects = [object('ConfigMap', 'one'), object('Namespace', 'not-of-kubernetes', 'example.com/v1')];
    expect(inCreationOrder(objects)).toEqual(objects);
  });
});
