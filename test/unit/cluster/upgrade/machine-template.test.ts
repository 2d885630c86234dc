import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { kubevirt } from '../../../../src/cluster/engines/kubevirt.ts';
import type { Engine } from '../../../../src/cluster/engines/engine.ts';
import { virtink } from '../../../../src/cluster/engines/virtink.ts';
import { templateFor } from '../../../../src/cluster/upgrade/machine-template.ts';
import type { KubernetesObject } from '../../../../src/host/api/objects.ts';
import { clusterOf } from '../samples.ts';

const cluster = { ...clusterOf(), metadata: { ...clusterOf().metadata, uid: 'u1' } };
const templates = join(import.meta.dirname, '../../../../src/cluster/template/templates');

/** The machine template of a role in the action's own template for an engine, as it is: its variables are its values. */
function ownTemplate({ name, kinds }: Engine, role: 'cp' | 'md-0'): KubernetesObject {
  const text = readFileSync(join(templates, `${name}.yaml`), 'utf8').replace(/: (\$\{\w+\})/g, ": '$1'");
  const objects = parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
  const found = objects.find(
    ({ kind, metadata }) => kind === kinds?.machineTemplate.kind && metadata.name.endsWith(`-${role}`),
  );
  if (found === undefined) throw new Error(`no template of ${role}`);
  return { ...found, metadata: { ...found.metadata, name: `pr-${role}`, namespace: 'knest', labels: { own: 'true' } } };
}

const images = {
  NODE_IMAGE: 'example.com/node:new',
  CONTROL_PLANE_MACHINE_KERNEL_IMAGE: 'example.com/kernel:cp',
  CONTROL_PLANE_MACHINE_ROOTFS_IMAGE: 'example.com/rootfs:cp',
  WORKER_MACHINE_KERNEL_IMAGE: 'example.com/kernel:md',
  WORKER_MACHINE_ROOTFS_IMAGE: 'example.com/rootfs:md',
};

describe.each([
  [kubevirt, 'cp', 'control-plane', ['example.com/node:new']],
  [kubevirt, 'md-0', 'worker', ['example.com/node:new']],
  [virtink, 'cp', 'control-plane', ['example.com/kernel:cp', 'example.com/rootfs:cp']],
  [virtink, 'md-0', 'worker', ['example.com/kernel:md', 'example.com/rootfs:md']],
] as const)('the machine template of an upgrade: $0.name, %s', (engine, name, role, expected) => {
  const current = ownTemplate(engine, name);
  const changed = engine.images?.replace(current, role, images);

  it('has the new images, and all else as it was', () => {
    expect([...JSON.stringify(changed).matchAll(/"image":"([^"]*)"/g)].map(([, image]) => image)).toEqual(expected);
    const without = (object: unknown): string => JSON.stringify(object).replace(/"image":"[^"]*"/g, '');
    expect(without(changed)).toBe(without(current));
  });

  it('is another object with a name that repeats, and goes with the Cluster', () => {
    const made = (): KubernetesObject | undefined =>
      templateFor(current, changed as KubernetesObject, current.metadata.name, 'v1.35.2', cluster);
    expect(made()).toEqual(made());
    expect(made()?.metadata).toEqual({
      name: expect.stringMatching(`^pr-${name}-v1\\.35\\.2-[0-9a-f]{8}$`) as string,
      namespace: 'knest',
      labels: { own: 'true' },
      annotations: { 'knest-action/replaces': current.metadata.name },
      ownerReferences: [{ apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Cluster', name: 'pr', uid: 'u1' }],
    });
  });

  it('is not needed when the current one has these images already', () => {
    const again = engine.images?.replace(changed as KubernetesObject, role, images) as KubernetesObject;
    expect(templateFor(changed as KubernetesObject, again, 'pr', 'v1.35.2', cluster)).toBeUndefined();
  });
});

describe('a machine template without one place for an image', () => {
  const disks = (...volumes: object[]): KubernetesObject =>
    ({
      ...ownTemplate(kubevirt, 'cp'),
      spec: { template: { spec: { virtualMachineTemplate: { spec: { template: { spec: { volumes } } } } } } },
    }) as KubernetesObject;

  it('is left alone: of KubeVirt with none, or several disks from images', () => {
    const disk = { name: 'root', containerDisk: { image: 'a' } };
    const replaced = (template: KubernetesObject): unknown => kubevirt.images?.replace(template, 'worker', images);
    expect(replaced(disks({ name: 'root', dataVolume: { name: 'root' } }))).toBeUndefined();
    expect(replaced(disks(disk, { ...disk, name: 'more' }))).toBeUndefined();
    expect(replaced(disks(disk))).toBeDefined();
  });

  it('is left alone: of Virtink with a persistent disk', () => {
    const template = JSON.parse(
      JSON.stringify(ownTemplate(virtink, 'cp')).replace('"containerRootfs"', '"dataVolume"'),
    ) as KubernetesObject;
    expect(virtink.images?.replace(template, 'control-plane', images)).toBeUndefined();
  });
});
