import { expect, it } from 'vitest';
import { withDefaultNamespace } from '../../../../src/cluster/addons/default-namespace.ts';
import { parseManifest } from '../../../../src/host/api/manifest.ts';

const MANIFEST = `
{apiVersion: v1, kind: ConfigMap, metadata: {name: without}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: with, namespace: mine}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: of-the-cluster}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, scope: Cluster, names: {kind: Widget, plural: widgets}}
---
{apiVersion: example.com/v1, kind: Widget, metadata: {name: defined-for-the-cluster}}
---
{apiVersion: example.com/v1, kind: Gadget, metadata: {name: defined-elsewhere}}
`;

it('gives objects the namespace that kubectl gives them, and none to those of the cluster', () => {
  const all = withDefaultNamespace(parseManifest(MANIFEST));
  expect(all.map(({ metadata: { namespace, name } }) => [name, namespace])).toEqual([
    ['without', 'default'],
    ['with', 'mine'],
    ['of-the-cluster', undefined],
    ['widgets.example.com', undefined],
    ['defined-for-the-cluster', undefined],
    ['defined-elsewhere', 'default'],
  ]);
});
