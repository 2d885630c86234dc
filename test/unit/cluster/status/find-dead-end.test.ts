import { describe, expect, it } from 'vitest';
import type { Ages, DeadEnd } from '../../../../src/cluster/status/dead-end.ts';
import { findDeadEnd } from '../../../../src/cluster/status/find-dead-end.ts';
import type { Pod } from '../../../../src/host/api/objects.ts';
import {
  clusterOf,
  condition,
  controlPlaneLabels,
  machineOf,
  podOf,
  roleLabels,
  unschedulable,
  viewOf,
  virtualMachineOf,
  waitingInit,
} from '../samples.ts';

const young: Ages = () => 0;
const old: Ages = () => 60;
const NOT_FOUND = 'failed to resolve reference "registry.example.com/r:1": registry.example.com/r:1: not found';
const NO_DNS = 'dial tcp: lookup registry.example.com on 10.96.0.10:53: no such host';

/** The dead end of a worker whose pod has this status. */
function ofPod(status: Pod['status'], ages: Ages, labels = {}): DeadEnd | undefined {
  const pods = [podOf('m', status, labels)];
  return findDeadEnd(viewOf({ machines: [machineOf('m')], virtualMachines: [virtualMachineOf('m')], pods }), ages);
}

describe('an image', () => {
  const init = 'init-volume-rootfs';

  it('that does not exist is reported at once', () => {
    expect(ofPod(waitingInit(init, 'r:1', 'ErrImagePull', NOT_FOUND), young, controlPlaneLabels)).toEqual({
      code: 'KNEST_IMAGE_PULL',
      problem: 'the image r:1 cannot be pulled (not found)',
      evidence: [`Pod knest/vm-m, init container ${init}: ErrImagePull: ${NOT_FOUND}`],
      next: 'set control-plane-machine-rootfs-image to an image that exists (public: smartxworks/capch-rootfs-1.24.0), or kubernetes-version to 1.24.0',
    });
  });

  it.each([
    'manifest unknown',
    'pull access denied, repository does not exist',
    'unauthorized: authentication required',
  ])('is a dead end at once for "%s"', (message) =>
    expect(ofPod(waitingInit(init, 'r:1', 'ErrImagePull', message), young)?.code).toBe('KNEST_IMAGE_PULL'),
  );

  it('keeps the reason of Kubernetes when the image is not missing', () => {
    const found = ofPod(waitingInit(init, 'R', 'InvalidImageName', "couldn't parse image name"), young);
    expect(found?.problem).toBe('the image R cannot be pulled (InvalidImageName)');
  });

  it('whose registry cannot be resolved gets a minute', () => {
    const status = waitingInit(init, 'r:1', 'ErrImagePull', NO_DNS);
    expect(ofPod(status, young)).toBeUndefined();
    expect(ofPod(status, () => 59)).toBeUndefined();
    expect(ofPod(status, old)?.problem).toBe('the image r:1 cannot be pulled (ErrImagePull)');
  });

  it.each([
    [controlPlaneLabels, init, /^set control-plane-machine-rootfs-image .*capch-rootfs-1\.24\.0/],
    [roleLabels('control-plane'), init, /^set control-plane-machine-rootfs-image /],
    [roleLabels('worker'), init, /^set worker-machine-rootfs-image /],
    [controlPlaneLabels, 'init-kernel', /^set control-plane-machine-kernel-image to an image that exists$/],
    [{}, init, /^set worker-machine-rootfs-image .*capch-rootfs-1\.24\.0/],
    [{}, 'init-kernel', /^set worker-machine-kernel-image to an image that exists$/],
  ])('gets advice for its role and part (%#)', (labels, container, next) => {
    expect(ofPod(waitingInit(container, 'r:1', 'ErrImagePull', NOT_FOUND), young, labels)?.next).toMatch(next);
  });

  it('is timed by pod and kind of problem, so that a back-off does not restart the time', () => {
    const asked: string[] = [];
    const noting: Ages = (key) => asked.push(key) * 0;
    ofPod(waitingInit(init, 'r:1', 'ErrImagePull', NO_DNS), noting);
    ofPod(waitingInit(init, 'r:1', 'ImagePullBackOff', 'Back-off pulling image'), noting);
    expect(asked).toEqual(['vm-m/image', 'vm-m/image']);
  });
});

describe('a pod', () => {
  it('that fits on no node gets a minute', () => {
    expect(ofPod(unschedulable, () => 59)).toBeUndefined();
    expect(ofPod(unschedulable, old)).toEqual({
      code: 'KNEST_UNSCHEDULABLE',
      problem: 'the VM of machine m does not fit on any node of the host',
      evidence: ['Pod knest/vm-m: Unschedulable: 0/1 nodes are available: 1 Insufficient memory.'],
      next: "lower worker-machine-memory-size or worker-machine-cpu-cores, or add a node with Virtink's devices to the host",
    });
    expect(ofPod(unschedulable, old, controlPlaneLabels)?.next).toContain('lower control-plane-machine-memory-size');
  });

  it('that crashes gets a minute', () => {
    const status = {
      containerStatuses: [{ name: 'vm', state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } } }],
    };
    expect(ofPod(status, () => 59)).toBeUndefined();
    expect(ofPod(status, old)).toEqual({
      code: 'KNEST_INFRASTRUCTURE',
      problem: 'the VM of machine m does not start',
      evidence: ['Pod knest/vm-m, container vm: CrashLoopBackOff: back-off 10s'],
      next: 'look at kubectl logs --all-containers -n knest vm-m on the host',
    });
  });

  it('that only waits is never a dead end', () => {
    expect(ofPod(waitingInit('init', 'r:1', 'CreateContainerError', 'x'), () => 1e6)).toBeUndefined();
  });

  it('is named itself when its machine is not known', () => {
    expect(findDeadEnd(viewOf({ pods: [podOf('m', unschedulable)] }), old)?.problem).toBe(
      'the VM of machine vm-m does not fit on any node of the host',
    );
  });

  it('does not hide the problem of another pod', () => {
    const pods = [podOf('a', unschedulable), podOf('b', waitingInit('init', 'r:1', 'ErrImagePull', NOT_FOUND))];
    expect(findDeadEnd(viewOf({ pods }), young)?.code).toBe('KNEST_IMAGE_PULL');
  });
});

describe('a pod that gets no network', () => {
  const message = 'plugin type="calico" failed (add): requested IP 10.1.2.10 is not in any pool';
  const of = (status: Pod['status'], ages: Ages, about = 'vm-m', count = 3): DeadEnd | undefined => {
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${about}.1` },
      reason: 'FailedCreatePodSandBox',
      message,
      count,
      involvedObject: { kind: 'Pod', name: about },
    };
    const parts = { machines: [machineOf('m')], virtualMachines: [virtualMachineOf('m')], pods: [podOf('m', status)] };
    return findDeadEnd(viewOf({ ...parts, sandboxEvents: [event] }), ages);
  };

  it('is a dead end after a minute, with the message of the CNI', () => {
    expect(of({ phase: 'Pending' }, old)).toMatchObject({
      code: 'KNEST_INFRASTRUCTURE',
      problem: 'the host cannot set up a network for the VM of machine m',
      evidence: [`Pod knest/vm-m: FailedCreatePodSandBox: ${message}`],
      next: expect.stringContaining('persistent-machine-addresses') as string,
    });
    expect(of({ phase: 'Pending' }, () => 59)).toBeUndefined();
  });

  it('is not a dead end once the pod has an address, or when the event is about another pod', () => {
    expect(of({ phase: 'Pending', podIP: '10.85.0.7' }, old)).toBeUndefined();
    expect(of({ phase: 'Running' }, old)).toBeUndefined();
    expect(of({ phase: 'Pending' }, old, 'vm-other')).toBeUndefined();
  });

  it('is not a dead end after one or two failures, or when it has a network by now and pulls an image', () => {
    expect(of({ phase: 'Pending' }, old, 'vm-m', 2)).toBeUndefined();
    const conditions = [condition('PodReadyToStartContainers', 'True')];
    expect(of({ phase: 'Pending', conditions }, old)).toBeUndefined();
  });
});

describe('a VM', () => {
  const ended = (phase: string, metadata = {}, ages = old) =>
    findDeadEnd(
      viewOf({
        machines: [machineOf('good'), machineOf('m', { metadata })],
        virtualMachines: [
          virtualMachineOf('good', { phase: 'Running' }),
          virtualMachineOf('m', {
            phase,
            conditions: [condition('Ready', 'False', { reason: 'Exit', message: 'panic' })],
          }),
        ],
      }),
      ages,
    );

  it.each(['Failed', 'Succeeded'])('that has %s does not come back', (phase) => {
    expect(ended(phase)).toEqual({
      code: 'KNEST_INFRASTRUCTURE',
      problem: `the VM of machine m has ended (${phase})`,
      evidence: ['VirtualMachine: Ready is False (Exit): panic'],
      next: 'look at the events and the pod of that VirtualMachine on the host; kubectl delete machine -n knest m has Cluster API make another',
    });
  });

  it.each(['Pending', 'Scheduling', 'Scheduled', 'Running', 'Unknown'])('that is %s may still start', (phase) => {
    expect(ended(phase)).toBeUndefined();
  });

  it.each(['Failed', 'Succeeded'])('that has %s restarts when its policy is Always', (phase) => {
    const vm = { ...virtualMachineOf('m', { phase }), spec: { runPolicy: 'Always' } };
    expect(findDeadEnd(viewOf({ machines: [machineOf('m')], virtualMachines: [vm] }), old)).toBeUndefined();
  });

  it('that has just ended may be of a machine whose deletion is seen a moment later', () => {
    expect(ended('Succeeded', {}, young)).toBeUndefined();
    const metadata = { ...virtualMachineOf('m').metadata, deletionTimestamp: '2026-11-22T19:00:00Z' };
    const vm = { ...virtualMachineOf('m', { phase: 'Succeeded' }), metadata };
    expect(findDeadEnd(viewOf({ machines: [machineOf('m')], virtualMachines: [vm] }), old)).toBeUndefined();
  });

  it('of a machine that is being replaced is not a dead end', () => {
    expect(ended('Failed', { deletionTimestamp: '2026-11-22T19:00:00Z' })).toBeUndefined();
  });
});

describe('a failed provider', () => {
  const deprecated = { v1beta1: { failureReason: 'CreateError', failureMessage: 'quota exceeded' } };

  it('is a dead end for any object', () => {
    expect(
      findDeadEnd(viewOf({ machines: [machineOf('good'), machineOf('m', { status: { deprecated } })] }), young),
    ).toEqual({
      code: 'KNEST_INFRASTRUCTURE',
      problem: 'the infrastructure of Machine m has failed (CreateError)',
      evidence: ['quota exceeded'],
      next: 'check the log of the controller of the infrastructure provider on the host',
    });
    expect(findDeadEnd(viewOf({ cluster: clusterOf({ status: { deprecated } }) }), young)?.problem).toBe(
      'the infrastructure of Cluster pr has failed (CreateError)',
    );
  });

  it('is not a dead end for a machine that is being replaced', () => {
    const metadata = { deletionTimestamp: '2026-11-22T19:00:00Z' };
    const machines = [machineOf('m', { metadata, status: { deprecated } })];
    expect(findDeadEnd(viewOf({ machines }), young)).toBeUndefined();
  });
});

describe('a machine', () => {
  const failing = (failureMessage: string, metadata = {}): DeadEnd | undefined => {
    const status = { deprecated: { v1beta1: { failureMessage } } };
    return findDeadEnd(viewOf({ machines: [machineOf('m', { status, metadata })] }), young);
  };

  it('without a free address in its pool is a dead end', () => {
    const message = 'Failure detected from referenced resource VirtinkMachine with name "m": Exhausted IP Pools';
    expect(failing(message)).toEqual({
      code: 'KNEST_ADDRESS_POOL',
      problem: 'no free address for machine m: its pool is exhausted',
      evidence: [message],
      next: 'look at kubectl get ipclaims -n knest on the host; add addresses with kubectl edit ippool, then delete the Machine',
    });
    expect(failing(message, { deletionTimestamp: '2026-11-22T19:00:00Z' })).toBeUndefined();
  });

  const withDisk = (phase: string, age: number, reason = ''): DeadEnd | undefined => {
    const metadata = { name: 'm-rootfs', namespace: 'knest' };
    const status = { phase, conditions: [condition('Running', 'False', { reason, message: 'x' })] };
    const disk = { apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'DataVolume', metadata, status };
    return findDeadEnd(viewOf({ machines: [machineOf('m')], dataVolumes: [disk] }), () => age);
  };

  it('whose disk waits for a consumer is a dead end, since Virtink waits for the disk', () => {
    expect(withDisk('WaitForFirstConsumer', 60)).toEqual({
      code: 'KNEST_STORAGE_CLASS',
      problem: 'disk m-rootfs waits for the VM of machine m, which waits for the disk',
      evidence: ['DataVolume m-rootfs: WaitForFirstConsumer x'],
      next: 'make a StorageClass with volumeBindingMode: Immediate the default of the host',
    });
    expect(withDisk('WaitForFirstConsumer', 59)).toBeUndefined();
    expect(withDisk('ImportInProgress', 1e6)).toBeUndefined();
  });

  it('whose disk has no image is a dead end after a minute', () => {
    expect(withDisk('ImportScheduled', 60, 'ImagePullBackOff')).toMatchObject({
      code: 'KNEST_IMAGE_PULL',
      problem: 'the image of disk m-rootfs cannot be pulled (ImagePullBackOff)',
      evidence: ['DataVolume m-rootfs: ImportScheduled (ImagePullBackOff) x'],
    });
    expect(withDisk('ImportScheduled', 59, 'ErrImagePull')).toBeUndefined();
    expect(withDisk('Succeeded', 60, 'ErrImagePull')).toBeUndefined();
  });
});

it('finds nothing without objects', () => {
  expect(findDeadEnd(viewOf(), old)).toBeUndefined();
});
