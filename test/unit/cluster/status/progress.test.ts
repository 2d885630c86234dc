import { describe, expect, it } from 'vitest';
import { ProgressLog, progressOf } from '../../../../src/cluster/status/progress.ts';
import type { ClusterView } from '../../../../src/cluster/status/cluster-view.ts';
import type { DataVolume } from '../../../../src/host/api/cluster-api-objects.ts';
import {
  clusterOf,
  condition,
  machineOf,
  podOf,
  unschedulable,
  viewOf,
  virtualMachineOf,
  waitingInit,
} from '../samples.ts';

const endpoint = { controlPlaneEndpoint: { host: '10.1.2.3', port: 6443 } };
const dataVolume = (name: string, phase: string): DataVolume => ({
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataVolume',
  metadata: { name, namespace: 'knest' },
  status: { phase },
});
const lines = (view: ClusterView): readonly string[] => [...progressOf(view).values()];

describe('progressOf', () => {
  it('is empty without objects', () => {
    expect(lines(viewOf())).toEqual([]);
    // Cluster API writes an endpoint without host, and port 0, at first.
    expect(lines(viewOf({ cluster: clusterOf({ spec: { controlPlaneEndpoint: { host: '', port: 0 } } }) }))).toEqual(
      [],
    );
  });

  it('shows what a machine that is drained waits for, without the time', () => {
    const message = 'Drain not completed yet (started at 2026-11-27T08:00:00Z):\n* Pod shop/db: cannot evict pod';
    const conditions = [condition('Deleting', 'True', { reason: 'DrainingNode', message })];
    const machine = machineOf('m', { metadata: { deletionTimestamp: 'now' }, status: { conditions } });
    expect(lines(viewOf({ machines: [machine] }))).toContain(
      'machine m: Drain not completed yet: * Pod shop/db: cannot evict pod',
    );
  });

  it('shows the address of the API server', () => {
    expect(lines(viewOf({ cluster: clusterOf({ spec: endpoint }) }))).toEqual(['infrastructure: API at 10.1.2.3:6443']);
  });

  it.each<[string, Partial<ClusterView>, readonly string[]]>([
    ['created', { machines: [machineOf('m')] }, ['created']],
    [
      'provided with bootstrap data',
      { machines: [machineOf('m', { spec: { bootstrap: { dataSecretName: 's' } } })] },
      ['created', 'bootstrap data ready'],
    ],
    [
      'a VM without a node',
      { machines: [machineOf('m')], virtualMachines: [virtualMachineOf('m', { phase: 'Scheduling' })] },
      ['created', 'VM scheduling'],
    ],
    [
      'a VM on a node',
      { machines: [machineOf('m')], virtualMachines: [virtualMachineOf('m', { phase: 'Running', nodeName: 'n1' })] },
      ['created', 'VM running on n1'],
    ],
    [
      'a VM of another machine',
      { machines: [machineOf('m')], virtualMachines: [virtualMachineOf('other', { phase: 'Running' })] },
      ['created'],
    ],
    [
      'a node',
      { machines: [machineOf('m', { status: { nodeRef: { name: 'node-m' } } })] },
      ['created', 'joined as node node-m'],
    ],
    [
      'known only by what its infrastructure waits for',
      {
        machines: [
          machineOf('m', {
            status: {
              conditions: [condition('InfrastructureReady', 'False', { message: '* Ready: VM is\n  starting' })],
            },
          }),
        ],
      },
      ['created', 'Ready: VM is starting'],
    ],
    [
      'whose infrastructure does not say what it waits for',
      {
        machines: [
          machineOf('m', { status: { conditions: [condition('InfrastructureReady', 'False', { message: '' })] } }),
        ],
      },
      ['created'],
    ],
    [
      'a node that is not Ready',
      {
        machines: [
          machineOf('m', { status: { nodeRef: { name: 'node-m' }, conditions: [condition('NodeReady', 'False')] } }),
        ],
      },
      ['created', 'joined as node node-m'],
    ],
    [
      'a node that is Ready',
      {
        machines: [
          machineOf('m', { status: { nodeRef: { name: 'node-m' }, conditions: [condition('NodeReady', 'True')] } }),
        ],
      },
      ['created', 'joined as node node-m', 'its node is Ready'],
    ],
    [
      'a disk that is being filled',
      {
        machines: [machineOf('m')],
        dataVolumes: [dataVolume('m-rootfs', 'ImportInProgress'), dataVolume('n-rootfs', 'Failed')],
      },
      ['created', 'disk rootfs: import in progress'],
    ],
    [
      'a disk that is filled',
      { machines: [machineOf('m')], dataVolumes: [dataVolume('m-rootfs', 'Succeeded')] },
      ['created', 'disk rootfs: filled'],
    ],
    [
      'being deleted',
      { machines: [machineOf('m', { metadata: { deletionTimestamp: '2026-11-22T19:00:00Z' } })] },
      ['created', 'is being deleted'],
    ],
  ])('shows a machine that is %s', (_what, parts, told) => {
    expect(lines(viewOf(parts))).toEqual(told.map((text) => `machine m: ${text}`));
  });

  it('shows the first line of the problem of a VM’s pod', () => {
    const pods = [podOf('m', waitingInit('init', 'rootfs:1', 'ErrImagePull', 'not found\nat all'))];
    const view = viewOf({ machines: [machineOf('m')], virtualMachines: [virtualMachineOf('m')], pods });
    expect(lines(view)).toEqual([
      'machine m: created',
      'machine m: Pod knest/vm-m, init container init: ErrImagePull: not found',
    ]);
  });

  it('shows when Cluster API has installed a resource set', () => {
    const set = (status: 'True' | 'False') => ({
      apiVersion: 'addons.cluster.x-k8s.io/v1beta2',
      kind: 'ClusterResourceSet',
      metadata: { name: 'pr-cni' },
      status: { conditions: [condition('ResourcesApplied', status)] },
    });
    expect(lines(viewOf({ resourceSets: [set('False')] }))).toEqual([]);
    expect(lines(viewOf({ resourceSets: [set('True')] }))).toEqual([
      'resource set pr-cni: applied to the nested cluster',
    ]);
  });

  it('ends with the API server once it answers', () => {
    const status = { conditions: [condition('ControlPlaneInitialized', 'True')] };
    const view = viewOf({ cluster: clusterOf({ spec: endpoint, status }), machines: [machineOf('m')] });
    expect(lines(view).at(-1)).toBe('control plane: initialised, the nested API server answers');
    const notYet = { conditions: [condition('ControlPlaneInitialized', 'False')] };
    expect(lines(viewOf({ cluster: clusterOf({ status: notYet }) }))).toEqual([]);
  });
});

describe('ProgressLog', () => {
  /** The lines for these views, one after the other. */
  function written(...views: readonly ClusterView[]): readonly string[] {
    const all: string[] = [];
    const log = new ProgressLog((line) => all.push(line));
    for (const view of views) log.show(progressOf(view));
    return all;
  }
  const vm = (phase: string): ClusterView =>
    viewOf({ machines: [machineOf('m')], virtualMachines: [virtualMachineOf('m', { phase })] });
  const pod = (reason: string, message: string): ClusterView =>
    viewOf({
      machines: [machineOf('m')],
      virtualMachines: [virtualMachineOf('m')],
      pods: [podOf('m', waitingInit('init', 'rootfs:1', reason, message))],
    });

  it('writes what is awaited once nothing has been written for 50 s', () => {
    const all: string[] = [];
    let seconds = 0;
    const log = new ProgressLog(
      (line) => all.push(line),
      new Map(),
      () => seconds * 1000,
    );
    for (seconds of [49, 50, 51, 99, 100]) log.remind(() => `it, after ${seconds} s`);
    seconds = 110;
    log.show(new Map([['topic', 'news']]));
    for (seconds of [150, 159, 160]) log.remind(() => `it, after ${seconds} s`);
    const waiting = [50, 100].map((time) => `waiting: it, after ${time} s`);
    expect(all).toEqual([...waiting, 'news', 'waiting: it, after 160 s']);
  });

  it('writes each line once', () => {
    expect(written(vm('Pending'), vm('Pending'))).toEqual(['machine m: created', 'machine m: VM pending']);
  });

  it('writes a line again when it has changed and changed back', () => {
    expect(written(vm('Pending'), vm('Running'), vm('Pending'))).toEqual([
      'machine m: created',
      'machine m: VM pending',
      'machine m: VM running',
      'machine m: VM pending',
    ]);
  });

  it('writes the same line for each machine', () => {
    const view = viewOf({ machines: [machineOf('a'), machineOf('b')] });
    expect(written(view, view)).toEqual(['machine a: created', 'machine b: created']);
  });

  it('writes a reason of a pod once, even if its message changes', () => {
    const views = [
      pod('ErrImagePull', 'try 1'),
      pod('ImagePullBackOff', 'wait 10s'),
      pod('ErrImagePull', 'try 2'),
      pod('ImagePullBackOff', 'wait 20s'),
    ];
    expect(written(...views)).toEqual([
      'machine m: created',
      'machine m: Pod knest/vm-m, init container init: ErrImagePull: try 1',
      'machine m: Pod knest/vm-m, init container init: ImagePullBackOff: wait 10s',
    ]);
  });

  it('writes another reason of a pod', () => {
    const waiting = viewOf({
      machines: [machineOf('m')],
      virtualMachines: [virtualMachineOf('m')],
      pods: [podOf('m', unschedulable)],
    });
    expect(written(waiting, pod('ErrImagePull', 'x'))).toHaveLength(3);
  });
});
