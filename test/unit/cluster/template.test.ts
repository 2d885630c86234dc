import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Labels, type ClusterIdentity } from '../../../src/cluster/identity.ts';
import { variables, withOwner } from '../../../src/cluster/template.ts';
import { parseManifest } from '../../../src/host/manifest.ts';
import type { KubernetesObject } from '../../../src/host/objects.ts';
import { readCreate, unlikeMachines } from '../given-inputs.ts';
import { cidr } from './samples.ts';

const networks = { pods: cidr('10.95.0.0/16'), services: cidr('10.97.0.0/16') };
const identity: ClusterIdentity = {
  name: 'pr',
  namespace: 'knest',
  owner: { [Labels.managed]: 'true', [Labels.runId]: '7' },
  annotations: { 'knest-action/job': 'e2e' },
  expiresAt: undefined,
};
const ownLabels = { [Labels.clusterName]: 'pr', ...identity.owner };

function template(infrastructure: string): string {
  return readFileSync(new URL(`../../../src/cluster/templates/${infrastructure}.yaml`, import.meta.url), 'utf8');
}

describe('variables', () => {
  it('are the inputs and the ranges, each as text', () => {
    const inputs = readCreate({ 'kubernetes-version': 'v1.36.3', ...unlikeMachines });
    expect(variables(inputs, networks)).toEqual({
      KUBERNETES_VERSION: '1.36.3',
      POD_NETWORK_CIDR: '10.95.0.0/16',
      SERVICE_CIDR: '10.97.0.0/16',
      CONTROL_PLANE_SERVICE_TYPE: 'NodePort',
      CONTROL_PLANE_MACHINE_COUNT: '3',
      CONTROL_PLANE_MACHINE_CPU_CORES: '4',
      CONTROL_PLANE_MACHINE_MEMORY_SIZE: '8Gi',
      CONTROL_PLANE_MACHINE_KERNEL_IMAGE: 'kernel:cp',
      CONTROL_PLANE_MACHINE_ROOTFS_IMAGE: 'rootfs:cp',
      CONTROL_PLANE_MACHINE_ROOTFS_SIZE: '20Gi',
      WORKER_MACHINE_COUNT: '0',
      WORKER_MACHINE_CPU_CORES: '1',
      WORKER_MACHINE_MEMORY_SIZE: '2Gi',
      WORKER_MACHINE_KERNEL_IMAGE: 'kernel:worker',
      WORKER_MACHINE_ROOTFS_IMAGE: 'rootfs:worker',
      WORKER_MACHINE_ROOTFS_SIZE: '10Gi',
    });
  });

  it.each([
    ['auto', 'NodePort'],
    ['cluster-ip', 'NodePort'],
    ['node-port', 'NodePort'],
    ['load-balancer', 'LoadBalancer'],
  ])('make the Service for api-access %s a %s', (access, type) => {
    expect(variables(readCreate({ 'api-access': access }), networks)).toMatchObject({
      CONTROL_PLANE_SERVICE_TYPE: type,
    });
  });

  const set = Object.keys(variables(readCreate(), networks));
  /** What clusterctl sets itself. */
  const given = ['CLUSTER_NAME', 'NAMESPACE'];
  const usedBy = (text: string): string[] => [
    ...new Set([...text.matchAll(/\$\{([^}]*)\}/g)].map(([, name = '']) => name)),
  ];

  it.each(['virtink', 'docker'])('are all that the template for %s asks for', (infrastructure) => {
    const used = usedBy(template(infrastructure));
    expect(used).toContain('KUBERNETES_VERSION');
    expect(used.filter((name) => !set.includes(name) && !given.includes(name))).toEqual([]);
  });

  it('are all used by the template for virtink', () => {
    const used = usedBy(template('virtink'));
    expect(set.filter((name) => !used.includes(name))).toEqual([]);
  });
});

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

  it('puts owner, cluster and namespace on any object, and leaves what else it has', () => {
    const object = { ...plain, spec: { template: { metadata: { labels: { c: '3' } } } }, data: { d: '4' } };
    expect(withOwner(object, identity)).toEqual({
      ...object,
      metadata: {
        name: 'w',
        namespace: 'knest',
        labels: { a: '1', ...ownLabels },
        annotations: { b: '2', ...identity.annotations },
      },
    });
  });

  it.each([
    ['KubeadmControlPlane', 'machineTemplate'],
    ['MachineDeployment', 'template'],
  ])('puts the owner on the machines of a %s too, and loses nothing of its spec', (kind, field) => {
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
  ])('makes the metadata of the machines of a %s that has none', (kind, field) => {
    const made = withOwner({ ...plain, kind }, identity);
    expect(made).toHaveProperty('spec', { [field]: { metadata: { labels: ownLabels } } });
  });

  it('does not change the object it was given', () => {
    const object = { ...plain, kind: 'MachineDeployment', spec: { template: { metadata: { labels: {} } } } };
    const before = structuredClone(object);
    withOwner(object, identity);
    expect(object).toEqual(before);
  });

  it.each(['virtink', 'docker'])('labels every object of the template for %s', (infrastructure) => {
    // Without quotes around them, numbers would be maps in the YAML of the template itself.
    const text = template(infrastructure).replaceAll(/\$\{([^}]*)\}/g, '7');
    const objects = parseManifest(text);
    expect(objects.filter(({ kind }) => kind === 'Cluster')).toHaveLength(1);
    for (const object of objects) {
      const made = withOwner(object, identity);
      expect(made.metadata).toMatchObject({ namespace: 'knest', labels: ownLabels });
      expect(Object.keys(made).sort()).toEqual(Object.keys(object).sort());
    }
  });
});
