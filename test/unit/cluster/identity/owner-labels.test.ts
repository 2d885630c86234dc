import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Annotations, Labels } from '../../../../src/cluster/identity/identity.ts';
import { withOwner } from '../../../../src/cluster/identity/owner-labels.ts';
import { parseManifest } from '../../../../src/host/api/manifest.ts';
import type { KubernetesObject } from '../../../../src/host/api/objects.ts';
import { identity } from '../samples.ts';

const ownAnnotations = { [Annotations.repository]: identity.annotations[Annotations.repository] };
const ownLabels = { [Labels.clusterName]: 'pr', ...identity.repository };

function template(infrastructure: string): string {
  return readFileSync(
    new URL(`../../../../src/cluster/template/templates/${infrastructure}.yaml`, import.meta.url),
    'utf8',
  );
}

describe('withOwner', () => {
  const plain: KubernetesObject = {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: {
      name: 'w',
      namespace: 'elsewhere',
      labels: { a: '1', [Labels.managed]: 'no' },
      annotations: { b: '2' },
    },
  };

  it('adds cluster, repository and namespace to any object, and keeps everything else', () => {
    const object = { ...plain, spec: { template: { metadata: { labels: { c: '3' } } } }, data: { d: '4' } };
    expect(withOwner(object, identity)).toEqual({
      ...object,
      metadata: {
        name: 'w',
        namespace: 'knest',
        labels: { a: '1', ...ownLabels },
        annotations: { b: '2', ...ownAnnotations },
      },
    });
  });

  it('adds the rest of the owner and the claim only to the Cluster, which adopting changes', () => {
    const cluster = { ...plain, apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Cluster' };
    expect(withOwner(cluster, identity).metadata).toEqual({
      name: 'w',
      namespace: 'knest',
      labels: { a: '1', ...ownLabels, ...identity.owner },
      annotations: { b: '2', ...identity.annotations },
    });
  });

  it.each([
    ['KubeadmControlPlane', 'machineTemplate'],
    ['MachineDeployment', 'template'],
  ])('adds the repository to the machines of a %s too, and keeps everything else in its spec', (kind, field) => {
    const machines = { metadata: { labels: { c: '3' }, annotations: { d: '4' } }, spec: { version: 'v1.36.3' } };
    const object = { ...plain, kind, spec: { replicas: 3, [field]: machines }, status: { ready: true } };
    const made = withOwner(object, identity);
    expect(made.metadata.labels).toEqual({ a: '1', ...ownLabels });
    expect(made).toMatchObject({ apiVersion: plain.apiVersion, kind, status: { ready: true } });
    expect(made).toHaveProperty('spec', {
      replicas: 3,
      [field]: { ...machines, metadata: { labels: { c: '3', ...ownLabels }, annotations: { d: '4' } } },
    });
  });

  it.each([
    ['KubeadmControlPlane', 'machineTemplate'],
    ['MachineDeployment', 'template'],
  ])('creates the metadata for the machines of a %s that has none', (kind, field) => {
    const made = withOwner({ ...plain, kind }, identity);
    expect(made).toHaveProperty('spec', { [field]: { metadata: { labels: ownLabels } } });
  });

  it('does not change the object it was given', () => {
    const object = { ...plain, kind: 'MachineDeployment', spec: { template: { metadata: { labels: {} } } } };
    const before = structuredClone(object);
    withOwner(object, identity);
    expect(object).toEqual(before);
  });

  it.each(['virtink', 'in-memory'])('labels every object of the template for %s', (infrastructure) => {
    // Without quotes around them, numbers would be maps in the YAML of the template.
    const text = template(infrastructure).replaceAll(/\$\{([^}]*)\}/g, '7');
    const objects = parseManifest(text);
    expect(objects.filter(({ kind }) => kind === 'Cluster')).toHaveLength(1);
    for (const object of objects) {
      const made = withOwner(object, identity);
      expect(made.metadata).toMatchObject({ namespace: 'knest', labels: ownLabels, annotations: ownAnnotations });
      expect(Object.keys(made).sort()).toEqual(Object.keys(object).sort());
    }
  });

  it('adds the repository to the machines of a topology, and keeps everything else', () => {
    const topology = {
      classRef: { name: 'c' },
      controlPlane: { replicas: 3, metadata: { labels: { a: '1' } } },
      workers: { machineDeployments: [{ name: 'one' }, { name: 'two' }], machinePools: [{ name: 'pool' }] },
    };
    const metadata = { labels: ownLabels };
    expect(withOwner({ ...plain, kind: 'Cluster', spec: { topology } } as KubernetesObject, identity)).toHaveProperty(
      'spec.topology',
      {
        classRef: { name: 'c' },
        controlPlane: { replicas: 3, metadata: { labels: { a: '1', ...ownLabels } } },
        workers: {
          machineDeployments: [
            { name: 'one', metadata },
            { name: 'two', metadata },
          ],
          machinePools: [{ name: 'pool', metadata }],
        },
      },
    );
  });

  it('adds the repository to the Service of a provider', () => {
    const spec = { controlPlaneServiceTemplate: { type: 'NodePort', metadata: { namespace: 'knest' } } };
    expect(withOwner({ ...plain, kind: 'KubevirtCluster', spec } as KubernetesObject, identity)).toHaveProperty(
      'spec.controlPlaneServiceTemplate',
      { type: 'NodePort', metadata: { namespace: 'knest', labels: ownLabels } },
    );
  });

  it('adds the repository to the VMs of KubeVirt, and to what runs them', () => {
    const templates = parseManifest(template('kubevirt').replaceAll(/\$\{\w+\}/g, '1')).filter(
      ({ kind }) => kind === 'KubevirtMachineTemplate',
    );
    expect(templates).toHaveLength(2);
    for (const one of templates) {
      const before = vmOf(one);
      expect(vmOf(withOwner(one, identity))).toEqual({
        ...before,
        metadata: { labels: ownLabels },
        spec: {
          ...before.spec,
          template: { ...before.spec.template, metadata: { ...before.spec.template.metadata, labels: ownLabels } },
        },
      });
    }
  });
});

interface VirtualMachineTemplate {
  readonly metadata?: object;
  readonly spec: { readonly template: { readonly metadata?: object } };
}

function vmOf(template: KubernetesObject): VirtualMachineTemplate {
  const { spec } = template as {
    readonly spec?: { template: { spec: { virtualMachineTemplate: VirtualMachineTemplate } } };
  };
  if (spec === undefined) throw new Error('it has no spec');
  return spec.template.spec.virtualMachineTemplate;
}
