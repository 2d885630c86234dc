import { describe, expect, it } from 'vitest';
import { virtualMachines } from '../../../../src/cluster/engines/kubevirt.ts';
import type { Machine, VirtualMachine } from '../../../../src/host/api/cluster-api-objects.ts';
import type { Ages } from '../../../../src/cluster/status/dead-end.ts';
import { findDeadEnd } from '../../../../src/cluster/status/find-dead-end.ts';
import { condition, controlPlaneLabels, machineOf, podOf, viewOf, virtualMachineOf, waitingInit } from '../samples.ts';

const young: Ages = () => 0;

/** An instance of KubeVirt. */
function instanceOf(name: string, phase: string, uid = `uid-${name}`): VirtualMachine {
  return { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', metadata: { name, uid }, status: { phase } };
}

describe('a machine of KubeVirt', () => {
  const [one, two] = [instanceOf('pr-cp-a', 'Running'), instanceOf('pr-cp-ab', 'Running')];

  it('has the instance of its name, and that instance the pod that it owns', () => {
    expect(virtualMachines.of(machineOf('pr-cp-ab'), [one, two])).toBe(two);
    expect(virtualMachines.of(machineOf('pr-cp'), [one, two])).toBeUndefined();
    const owned = podOf('pr-cp-ab');
    const owner = {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachineInstance',
      name: 'pr-cp-ab',
      uid: 'uid-pr-cp-ab',
    };
    const pod = { ...owned, metadata: { ...owned.metadata, ownerReferences: [owner] } };
    expect(virtualMachines.podOf(two, [podOf('pr-cp-a'), pod])).toBe(pod);
    expect(virtualMachines.podOf(one, [podOf('pr-cp-a'), pod])).toBeUndefined();
  });

  it.each([
    ['Failed', true],
    ['Succeeded', true],
    ['Running', false],
    ['Scheduling', false],
  ])('has ended when its instance is %s: %s', (phase, hasEnded) => {
    expect(virtualMachines.hasEnded(instanceOf('m', phase))).toBe(hasEnded);
  });

  it('has not ended when its instance is deleted, since its VM starts again', () => {
    const ended = instanceOf('m', 'Failed');
    const metadata = { ...ended.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    expect(virtualMachines.hasEnded({ ...ended, metadata })).toBe(false);
    expect(virtualMachines.endedGrace).toBeGreaterThan(5);
  });

  it('has its console in the container that writes it to its log, where there is one', () => {
    const pod = podOf('m');
    const containers = [{ name: 'compute' }, { name: 'guest-console-log' }];
    expect(virtualMachines.consoleOf({ ...pod, spec: { containers } })).toBe('guest-console-log');
    const [compute, beside] = containers.map((container) => [container]);
    const spec = {
      ...(beside !== undefined && { initContainers: beside }),
      ...(compute !== undefined && { containers: compute }),
    };
    expect(virtualMachines.consoleOf({ ...pod, spec })).toBe('guest-console-log');
    expect(virtualMachines.consoleOf({ ...pod, spec: { containers: [{ name: 'compute' }] } })).toBeUndefined();
  });

  // 1 GiB: what kubevirt v1.8.4 requests on amd64 for it is 1024 + 2 + 228 + 8 a core, seen on its real controller.
  it.each([
    [1, '1Gi', 100, 1262],
    [2, '4Gi', 200, 4348],
  ])('with %d cores and %s requests %dm and %d MiB', (cores, memory, milliCpu, mebibytes) => {
    expect(virtualMachines.requestsFor(cores, memory)).toEqual({ milliCpu, mebibytes });
  });
});

it('a container that misses an image volume is a dead end of KubeVirt at once, with what its administrator can do', () => {
  const message = 'exec: "/container-disk-binary/usr/bin/container-disk": no such file or directory';
  const status = waitingInit('container-disk', 'r:1', 'RunContainerError', message);
  const pod = podOf('m', status);
  const instance = virtualMachineOf('m');
  const owner = { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name: 'm', uid: 'u' };
  const view = (kind: string) =>
    viewOf({
      machines: [machineOf('m', { spec: { infrastructureRef: { kind, name: 'm' } } })],
      virtualMachines: [{ ...instance, metadata: { ...instance.metadata, uid: 'u' } }],
      pods: [{ ...pod, metadata: { ...pod.metadata, ownerReferences: [owner] } }],
    });
  expect(findDeadEnd(view('KubevirtMachine'), young)).toMatchObject({
    code: 'KNEST_INFRASTRUCTURE',
    next: expect.stringContaining('disabledFeatureGates') as string,
  });
  expect(findDeadEnd(view('VirtinkMachine'), young)).toBeUndefined();
});

it('the advice for a machine that ended is to delete it, unless it is the only one of the control plane', () => {
  const metadata = { labels: controlPlaneLabels };
  const spec = { infrastructureRef: { kind: 'KubevirtMachine', name: 'm' } };
  const virtualMachines = [virtualMachineOf('m', { phase: 'Failed' })];
  const nextOf = (...others: readonly Machine[]) =>
    findDeadEnd(viewOf({ machines: [machineOf('m', { metadata, spec }), ...others], virtualMachines }), () => 20)?.next;
  expect(nextOf(machineOf('worker'))).not.toContain('delete');
  expect(nextOf(machineOf('cp-b', { metadata }))).toContain('kubectl delete machine -n knest m has Cluster API');
});

it('a machine whose pod the host refuses is a dead end after a minute, with the answer of the host', () => {
  const message = 'failed to create virtual machine pod: pods "virt-launcher-m" is forbidden: exceeded quota: small';
  const machines = [machineOf('m', { spec: { infrastructureRef: { kind: 'KubevirtMachine', name: 'm' } } })];
  const of = (reason: string, ages: Ages) => {
    const conditions = [condition('Synchronized', 'False', { reason, message })];
    return findDeadEnd(viewOf({ machines, virtualMachines: [virtualMachineOf('m', { conditions })] }), ages);
  };
  expect(of('FailedCreate', () => 60)).toMatchObject({
    code: 'KNEST_INFRASTRUCTURE',
    problem: `the host refuses the pod of machine m: ${message}`,
  });
  expect(of('FailedCreate', () => 59)).toBeUndefined();
  expect(of('FailedGuaranteePodResources', () => 60)).toBeUndefined();
});

it('a machine of KubeVirt that ended is a dead end once nothing has started it again, with what its pod says', () => {
  const pod = podOf('m', {
    phase: 'Failed',
    reason: 'Evicted',
    message: 'ephemeral local storage usage exceeds the limit',
  });
  const owner = { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name: 'm', uid: 'u' };
  const instance = virtualMachineOf('m', { phase: 'Failed' });
  const view = viewOf({
    machines: [machineOf('m', { spec: { infrastructureRef: { kind: 'KubevirtMachine', name: 'm' } } })],
    virtualMachines: [{ ...instance, metadata: { ...instance.metadata, uid: 'u' } }],
    pods: [{ ...pod, metadata: { ...pod.metadata, ownerReferences: [owner] } }],
  });
  expect(findDeadEnd(view, young)).toBeUndefined();
  expect(findDeadEnd(view, () => 20)).toMatchObject({
    code: 'KNEST_INFRASTRUCTURE',
    problem: 'the VM of machine m has ended (Failed)',
    evidence: expect.arrayContaining([expect.stringContaining('Evicted: ephemeral local storage')]) as string[],
  });
});
