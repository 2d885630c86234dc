import { describe, expect, it } from 'vitest';
import { kubevirt } from '../../../../src/cluster/engines/kubevirt.ts';
import { other } from '../../../../src/cluster/engines/other.ts';
import { virtink, virtualMachines } from '../../../../src/cluster/engines/virtink.ts';
import { clusterOf, machineOf, podOf, virtualMachineOf } from '../samples.ts';

describe('a machine of Virtink', () => {
  const [one, two] = [virtualMachineOf('pr-cp-a'), virtualMachineOf('pr-cp-ab')];

  it('has the VM of its name, and that VM the pod that it names', () => {
    expect(virtualMachines.of(machineOf('pr-cp-ab'), [one, two])).toBe(two);
    expect(virtualMachines.of(machineOf('pr-cp'), [one, two])).toBeUndefined();
    const pods = [podOf('pr-cp-a'), podOf('pr-cp-ab')];
    expect(virtualMachines.podOf(two, pods)).toBe(pods[1]);
    const { status, ...young } = two;
    expect(status).toBeDefined();
    expect(virtualMachines.podOf(young, pods)).toBeUndefined();
  });

  it.each([
    ['Failed', 'Once', true],
    ['Succeeded', 'Once', true],
    ['Failed', 'Always', false],
    ['Failed', 'RerunOnFailure', false],
    ['Succeeded', 'RerunOnFailure', true],
    ['Running', 'Once', false],
  ])('has ended when its VM is %s and runs %s: %s', (phase, runPolicy, hasEnded) => {
    expect(virtualMachines.hasEnded({ ...virtualMachineOf('m', { phase }), spec: { runPolicy } })).toBe(hasEnded);
  });

  it('has its console in the container of the hypervisor, whatever runs beside it', () => {
    const pod = podOf('m');
    const sidecar = { name: 'istio-proxy' };
    expect(virtualMachines.consoleOf({ ...pod, spec: { containers: [sidecar, { name: 'cloud-hypervisor' }] } })).toBe(
      'cloud-hypervisor',
    );
    expect(virtualMachines.consoleOf({ ...pod, spec: { containers: [sidecar] } })).toBeUndefined();
  });

  it('has disks that are called after it and their volumes', () => {
    const spec = { volumeTemplates: [{ dataVolume: { metadata: { name: 'rootfs' } } }, {}] };
    const machine = { apiVersion: 'v1beta1', kind: 'VirtinkMachine', metadata: { name: 'm' }, spec };
    expect(virtink.persistence?.disksOf(machine)).toEqual(['m-rootfs']);
    expect(virtink.persistence?.diskPrefix('m')).toBe('m-');
  });
});

it.each([
  [virtink, 'VirtinkCluster', true],
  [kubevirt, 'KubevirtCluster', true],
  [other, 'AWSCluster', false],
])('privileged pods run for a cluster (%#)', (engine, kind, isPrivileged) => {
  expect(engine.runsPrivilegedPods(clusterOf({ spec: { infrastructureRef: { kind } } }))).toBe(isPrivileged);
});
