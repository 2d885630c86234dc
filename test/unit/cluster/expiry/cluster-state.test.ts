import { describe, expect, it } from 'vitest';
import { readStates, stateOf } from '../../../../src/cluster/expiry/cluster-state.ts';
import type { ClusterView } from '../../../../src/cluster/status/cluster-view.ts';
import type { Cluster, Machine } from '../../../../src/host/api/cluster-api-objects.ts';
import type { Condition } from '../../../../src/host/api/objects.ts';
import { hostWith } from '../../host/fake-host.ts';
import { clusterOf, machineOf, podOf, viewOf, virtualMachineOf } from '../samples.ts';

const now = Date.parse('2026-11-24T10:00:00Z');
const condition = (type: string, status: Condition['status'], message = ''): Condition => ({ type, status, message });
const initialised = clusterOf({ status: { conditions: [condition('ControlPlaneInitialized', 'True')] } });
const node = (name: string, ready: Condition): Machine =>
  machineOf(name, { status: { nodeRef: { name }, conditions: [ready] } });
const ready = condition('NodeReady', 'True');
const without = condition(
  'NodeReady',
  'False',
  '* Node.Ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized',
);

/** A pod that has failed to pull an image for so many seconds. It is older than that when it was Ready before. */
const pulling = (message: string, seconds: number, age = seconds) => {
  const pod = podOf('a', {
    containerStatuses: [
      { name: 'rootfs', image: 'nowhere/rootfs', state: { waiting: { reason: 'ErrImagePull', message } } },
    ],
  });
  const before = (past: number): string => new Date(now - past * 1000).toISOString();
  const conditions = [{ ...condition('Ready', 'False'), lastTransitionTime: before(seconds) }];
  const metadata = { ...pod.metadata, creationTimestamp: before(age) };
  return { ...pod, metadata, status: { ...pod.status, conditions } };
};

describe('stateOf', () => {
  it.each<[string, string, Partial<ClusterView>]>([
    ['starting', 'a cluster without anything', { cluster: clusterOf() }],
    [
      'starting',
      'a provisioned cluster without nodes',
      { cluster: clusterOf({ status: { phase: 'Provisioned' } }), machines: [machineOf('a')] },
    ],
    [
      'starting',
      'a cluster of which only one machine is a node',
      { cluster: initialised, machines: [node('a', ready), machineOf('b')] },
    ],
    [
      'starting',
      'a node that is not Ready for another reason',
      { cluster: initialised, machines: [node('a', condition('NodeReady', 'Unknown', 'Node is unreachable'))] },
    ],
    [
      'no CNI',
      'nodes that wait for a CNI',
      { cluster: initialised, machines: [node('a', without), node('b', without)] },
    ],
    [
      'no CNI',
      'nodes that wait for a CNI while another machine starts',
      { cluster: initialised, machines: [node('a', without), machineOf('b')] },
    ],
    [
      'ready',
      'a cluster whose machines are all Ready nodes',
      { cluster: initialised, machines: [node('a', ready), node('b', ready)] },
    ],
    [
      'ready',
      'an available cluster whose machines are not known',
      {
        cluster: clusterOf({
          status: { conditions: [condition('ControlPlaneInitialized', 'True'), condition('Available', 'True')] },
        }),
      },
    ],
    [
      'deleting',
      'a healthy cluster that is being deleted',
      {
        cluster: { ...initialised, metadata: { ...initialised.metadata, deletionTimestamp: '2026-11-24T09:00:00Z' } },
        machines: [node('a', ready)],
      },
    ],
    [
      'starting',
      'an image whose next pull may succeed',
      {
        cluster: clusterOf(),
        machines: [machineOf('a')],
        virtualMachines: [virtualMachineOf('a')],
        pods: [pulling('i/o timeout', 10)],
      },
    ],
    [
      'starting',
      'an image whose next pull may succeed, in an old pod',
      {
        cluster: clusterOf(),
        machines: [machineOf('a')],
        virtualMachines: [virtualMachineOf('a')],
        pods: [pulling('i/o timeout', 10, 3600)],
      },
    ],
  ])('is %s: %s', (state, _what, parts) => {
    expect(stateOf(viewOf(parts), now)).toEqual({ state });
  });

  it.each([
    ['that does not exist', 'manifest unknown', 1],
    ['that could not be pulled for minutes', 'i/o timeout', 120],
  ])('is failing with the error code of a create: an image %s', (_what, message, seconds) => {
    const parts = {
      machines: [machineOf('a')],
      virtualMachines: [virtualMachineOf('a')],
      pods: [pulling(message, seconds)],
    };
    expect(stateOf(viewOf({ cluster: clusterOf(), ...parts }), now)).toEqual({
      state: 'failing',
      code: 'KNEST_IMAGE_PULL',
      problem: expect.stringContaining('the image nowhere/rootfs cannot be pulled') as string,
    });
  });
});

it('a VM of KubeVirt that ended long ago, whose pod is gone, is failing', () => {
  const spec = { infrastructureRef: { kind: 'KubevirtMachine', name: 'm' } };
  const stateAfter = (seconds: number) => {
    const metadata = { creationTimestamp: new Date(now - seconds * 1000).toISOString() };
    const machines = [machineOf('m', { metadata, spec })];
    const virtualMachines = [virtualMachineOf('m', { phase: 'Failed' })];
    return stateOf(viewOf({ cluster: clusterOf(), machines, virtualMachines }), now).state;
  };
  expect(stateAfter(60)).toBe('failing');
  // What ends may be started again at once.
  expect(stateAfter(5)).toBe('starting');
});

describe('readStates', () => {
  const of = (name: string, namespace = 'knest'): Cluster => ({
    ...initialised,
    metadata: { ...initialised.metadata, name, namespace },
  });
  const labelled = (cluster: string, namespace: string, ready: Condition): Machine => {
    const machine = node(`${cluster}-cp`, ready);
    return {
      ...machine,
      metadata: { ...machine.metadata, namespace, labels: { 'cluster.x-k8s.io/cluster-name': cluster } },
    };
  };

  it('distinguishes clusters of the same name in two namespaces, and keeps their order', async () => {
    const items = [
      labelled('one', 'knest', ready),
      labelled('one', 'other', without),
      labelled('two', 'knest', without),
    ];
    const { client, received } = await hostWith({ '/apis/cluster.x-k8s.io/v1beta2/machines': { items } });
    const clusters = [of('one'), of('one', 'other'), of('two'), of('three')];
    const states = await readStates(client, undefined, clusters, now);
    expect(states.map(({ state }) => state)).toEqual(['ready', 'no CNI', 'no CNI', 'starting']);
    // The number of requests does not depend on the number of clusters.
    expect(received).toHaveLength(4);
  });

  it('derives the state from the clusters when nothing else may be listed', async () => {
    const forbidden = [
      '/apis/cluster.x-k8s.io/v1beta2',
      '/apis/virt.virtink.smartx.com/v1alpha1',
      '/apis/kubevirt.io/v1',
      '/api/v1',
    ];
    const plurals = ['machines', 'virtualmachines', 'virtualmachineinstances', 'pods'];
    const paths = forbidden.map((group, index) => [`${group}/namespaces/knest/${plurals[index] ?? ''}`, false]);
    const { client, received } = await hostWith(Object.fromEntries(paths) as Record<string, unknown>);
    expect(await readStates(client, 'knest', [of('one')], now)).toEqual([{ state: 'starting' }]);
    expect(received).toHaveLength(4);
  });

  it('sends no request without clusters', async () => {
    const { client, received } = await hostWith({});
    expect(await readStates(client, 'knest', [], now)).toEqual([]);
    expect(received).toEqual([]);
  });
});
