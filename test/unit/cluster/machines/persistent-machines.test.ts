import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { persist } from '../../../../src/cluster/machines/persistent-machines.ts';
import { parseManifest } from '../../../../src/host/api/manifest.ts';
import type { KubernetesObject } from '../../../../src/host/api/objects.ts';
import type { PersistentInputs } from '../../../../src/inputs.ts';

const inputs: PersistentInputs = {
  persistent: true,
  ephemeral: false,
  machineAddresses: [
    { first: '10.1.2.10', last: '10.1.2.20' },
    { first: '10.1.4.1', last: '10.1.4.1' },
  ],
  hostClusterCni: 'calico',
};
const file = new URL('../../../../src/cluster/template/templates/virtink.yaml', import.meta.url);
const template = parseManifest(readFileSync(file, 'utf8').replaceAll(/\$\{([^}]*)\}/g, '$1'));
const ofKind = (kind: string, objects: readonly KubernetesObject[]) => objects.filter((object) => object.kind === kind);

describe('persist', () => {
  const objects = persist(template, 'pr', inputs);

  it('adds a pool of the addresses, named after the cluster', () => {
    expect(objects[0]).toEqual({
      apiVersion: 'ipam.metal3.io/v1alpha1',
      kind: 'IPPool',
      metadata: { name: 'pr' },
      spec: {
        namePrefix: 'pr',
        pools: [
          { start: '10.1.2.10', end: '10.1.2.20' },
          { start: '10.1.4.1', end: '10.1.4.1' },
        ],
      },
    });
  });

  it.each([
    ['CLUSTER_NAME-cp', 'CONTROL_PLANE'],
    ['CLUSTER_NAME-md-0', 'WORKER'],
  ])('gives the machines of %s a disk, an address, and a VM that restarts', (name, role) => {
    const machines = objects.find(({ kind, metadata }) => kind === 'VirtinkMachineTemplate' && metadata.name === name);
    expect(machines).toMatchObject({
      spec: {
        template: {
          metadata: {
            annotations: {
              'cni.projectcalico.org/ipAddrs': '["$IP_ADDRESS"]',
              'cni.projectcalico.org/hwAddr': '$MAC_ADDRESS',
            },
          },
          spec: {
            ipPoolRef: { apiGroup: 'ipam.metal3.io', kind: 'IPPool', name: 'pr' },
            virtualMachineTemplate: {
              spec: {
                runPolicy: 'Always',
                instance: { memory: { size: `${role}_MACHINE_MEMORY_SIZE` }, disks: [{ name: 'rootfs' }] },
                volumes: [{ name: 'rootfs', dataVolume: { volumeName: 'rootfs' } }],
              },
            },
            volumeTemplates: [
              {
                dataVolume: {
                  metadata: { name: 'rootfs' },
                  spec: {
                    pvc: {
                      accessModes: ['ReadWriteOnce'],
                      resources: { requests: { storage: `${role}_MACHINE_ROOTFS_SIZE` } },
                    },
                    source: { registry: { pullMethod: 'node', url: `docker://${role}_MACHINE_ROOTFS_IMAGE` } },
                  },
                },
              },
            ],
          },
        },
      },
    });
    expect(JSON.stringify(machines)).not.toContain('containerRootfs');
  });

  it('uses the annotations of Kube-OVN for Kube-OVN', () => {
    const [machines] = ofKind(
      'VirtinkMachineTemplate',
      persist(template, 'pr', { ...inputs, hostClusterCni: 'kube-ovn' }),
    );
    expect(machines).toHaveProperty('spec.template.metadata.annotations', {
      'ovn.kubernetes.io/ip_address': '$IP_ADDRESS',
      'ovn.kubernetes.io/mac_address': '$MAC_ADDRESS',
    });
  });

  it('removes the health check that would replace a machine, and keeps all other objects', () => {
    const changed = ['VirtinkMachineTemplate', 'MachineHealthCheck'];
    expect(ofKind('MachineHealthCheck', template)).toHaveLength(1);
    expect(ofKind('MachineHealthCheck', objects)).toEqual([]);
    expect(objects.slice(1).filter(({ kind }) => !changed.includes(kind))).toEqual(
      template.filter(({ kind }) => !changed.includes(kind)),
    );
  });

  it('keeps a disk that the template already has', () => {
    const disk = { dataVolume: { metadata: { name: 'rootfs' }, spec: { source: { blank: {} } } } };
    const volumes = [{ name: 'rootfs', dataVolume: { volumeName: 'rootfs' } }];
    const own = {
      apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta1',
      kind: 'VirtinkMachineTemplate',
      metadata: { name: 'own' },
      spec: { template: { spec: { virtualMachineTemplate: { spec: { volumes } }, volumeTemplates: [disk] } } },
    };
    const [, made] = persist([own], 'pr', inputs);
    expect(made).toHaveProperty('spec.template.spec.volumeTemplates', [disk]);
    expect(made).toHaveProperty('spec.template.spec.virtualMachineTemplate.spec.volumes', volumes);
  });
});
