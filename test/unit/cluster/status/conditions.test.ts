import { describe, expect, it } from 'vitest';
import { describeChain, newestEvents, unmetConditions } from '../../../../src/cluster/status/conditions.ts';
import { KubernetesClient } from '../../../../src/host/api/client.ts';
import type { Condition, KubernetesEvent } from '../../../../src/host/api/objects.ts';
import { RestClient } from '../../../../src/host/api/rest.ts';
import { Transport } from '../../../../src/host/api/transport.ts';
import { configFor, json, serve } from '../../host/server.ts';
import { clusterOf, condition, machineOf, ownedBy, podOf, scalable, viewOf, virtualMachineOf } from '../samples.ts';

const now = Date.parse('2026-11-22T19:10:00Z');
const controlPlane = scalable('KubeadmControlPlane', 'pr-cp', { spec: { replicas: 1 }, status: { readyReplicas: 1 } });
const workers = scalable('MachineDeployment', 'pr-md-0', { spec: { replicas: 2 }, status: { readyReplicas: 1 } });
const joined = machineOf('pr-cp-x', { status: { phase: 'Running', nodeRef: { name: 'n' } } });

describe('describeChain', () => {
  it('goes down to the pod of the first machine that is not a node', () => {
    const view = viewOf({
      cluster: clusterOf(),
      controlPlanes: [controlPlane],
      machineDeployments: [workers],
      machines: [
        joined,
        machineOf('pr-md-0-a', { metadata: ownedBy(workers), status: { phase: 'Provisioning' } }),
        machineOf('pr-md-0-b'),
      ],
      virtualMachines: [virtualMachineOf('pr-cp-x'), virtualMachineOf('pr-md-0-a', { phase: 'Scheduling' })],
      pods: [podOf('pr-cp-x', { phase: 'Running' }), podOf('pr-md-0-a', { phase: 'Pending' })],
    });
    expect(describeChain(view)).toBe(
      'Chain: Cluster pr → MachineDeployment pr-md-0 (1 of 2 ready) → Machine pr-md-0-a (Provisioning) → ' +
        'VirtinkMachine → VirtualMachine (Scheduling) → Pod vm-pr-md-0-a (Pending)',
    );
  });

  it('shows what does not exist yet', () => {
    const bare = scalable('KubeadmControlPlane', 'pr-cp');
    const { spec, ...machine } = machineOf('pr-cp-x', { metadata: ownedBy(bare) });
    expect(spec).toBeDefined();
    expect(describeChain(viewOf({ cluster: clusterOf(), controlPlanes: [bare], machines: [machine] }))).toBe(
      'Chain: Cluster pr → KubeadmControlPlane pr-cp (0 of 0 ready) → Machine pr-cp-x (no phase yet) → no infrastructure yet',
    );
    expect(
      describeChain(
        viewOf({ machines: [machineOf('m')], virtualMachines: [virtualMachineOf('m')], cluster: clusterOf() }),
      ),
    ).toBe('Chain: Cluster pr → Machine m (no phase yet) → VirtinkMachine → VirtualMachine (no phase yet)');
  });

  it('names the object that is not ready when every machine is a node, or there are no machines', () => {
    const parts = { cluster: clusterOf(), controlPlanes: [controlPlane], machineDeployments: [workers] };
    const chain = 'Chain: Cluster pr → MachineDeployment pr-md-0 (1 of 2 ready)';
    expect(describeChain(viewOf({ ...parts, machines: [joined] }))).toBe(chain);
    expect(describeChain(viewOf(parts))).toBe(chain);
    expect(describeChain(viewOf({ cluster: clusterOf(), controlPlanes: [controlPlane] }))).toBe('Chain: Cluster pr');
  });

  it('reports that there is no Cluster', () => {
    expect(describeChain(viewOf({ machines: [joined] }))).toBe('Chain: there is no Cluster');
  });
});

describe('unmetConditions', () => {
  it('include what Cluster API could not install', () => {
    const set = {
      apiVersion: 'addons.cluster.x-k8s.io/v1beta2',
      kind: 'ClusterResourceSet',
      metadata: { name: 'pr-cni' },
      status: {
        conditions: [condition('ResourcesApplied', 'False', { reason: 'NotApplied', message: 'no such kind' })],
      },
    };
    expect(unmetConditions(viewOf({ cluster: clusterOf(), resourceSets: [set] }), now)).toEqual([
      'ClusterResourceSet pr-cni: ResourcesApplied is False (NotApplied): no such kind',
    ]);
    // The condition of v1beta1 says more.
    const conditions = [
      condition('ResourcesApplied', 'False', { reason: 'ApplyFailed', message: 'creating x: denied' }),
    ];
    const more = { ...set, status: { ...set.status, deprecated: { v1beta1: { conditions } } } };
    expect(unmetConditions(viewOf({ cluster: clusterOf(), resourceSets: [more] }), now)).toEqual([
      'ClusterResourceSet pr-cni: ResourcesApplied is False (NotApplied): creating x: denied',
    ]);
  });

  const ofCluster = (...conditions: Condition[]): readonly string[] =>
    unmetConditions(viewOf({ cluster: clusterOf({ status: { conditions } }) }), now);

  it('begin with the causes in an object, before its summary conditions', () => {
    const conditions = ['Available', 'Ready', 'NodeHealthy', 'InfrastructureReady'].map((type) =>
      condition(type, 'False'),
    );
    expect(ofCluster(...conditions).map((line) => line.split(' ')[2])).toEqual([
      'InfrastructureReady',
      'NodeHealthy',
      'Ready',
      'Available',
    ]);
  });

  it('go from the machines up to the Cluster, which waits for them', () => {
    const status = { conditions: [condition('Ready', 'False', { reason: 'Waiting' })] };
    const view = viewOf({
      machines: [machineOf('m', { status })],
      machineDeployments: [scalable('MachineDeployment', 'md', { status })],
      controlPlanes: [scalable('KubeadmControlPlane', 'cp', { status })],
      cluster: clusterOf({ status }),
    });
    expect(unmetConditions(view, now)).toEqual([
      'Machine m: Ready is False (Waiting)',
      'KubeadmControlPlane cp: Ready is False (Waiting)',
      'MachineDeployment md: Ready is False (Waiting)',
      'Cluster pr: Ready is False (Waiting)',
    ]);
  });

  it('include age, reason and message, with the message on one line', () => {
    const message = ' no\n  such image ';
    const since = { lastTransitionTime: '2026-11-22T19:08:30Z' };
    expect(ofCluster(condition('Ready', 'Unknown', { reason: 'Pull', message, ...since }))).toEqual([
      'Cluster pr: Ready is Unknown for 1m30s (Pull): no such image',
    ]);
    expect(ofCluster(condition('Ready', 'False'))).toEqual(['Cluster pr: Ready is False (no reason)']);
  });

  it('do not include met conditions', () => {
    expect(ofCluster(condition('Ready', 'True'), condition('Deleting', 'False'))).toEqual([]);
  });

  it('leave out conditions that only summarise others', () => {
    const sum = condition('Available', 'False', { message: '* RemoteConnectionProbe: no\n* Machines: no' });
    const own = condition('InfrastructureReady', 'False', { reason: 'Own', message: 'no * here' });
    expect(ofCluster(sum, own)).toEqual(['Cluster pr: InfrastructureReady is False (Own): no * here']);
  });

  it.each(['RollingOut', 'ScalingDown', 'Remediating', 'Deleting', 'Paused', 'Updating'])(
    'include %s when it is True',
    (type) => {
      expect(ofCluster(condition(type, 'True', { reason: 'R' }))).toEqual([`Cluster pr: ${type} is True (R)`]);
      expect(ofCluster(condition(type, 'False'), condition(type, 'Unknown'))).toEqual([]);
    },
  );

  it('never include ScalingUp, which every cluster has at first', () => {
    const each = (['True', 'False', 'Unknown'] as const).map((status) => condition('ScalingUp', status));
    expect(ofCluster(...each)).toEqual([]);
  });
});

describe('newestEvents', () => {
  const event = (name: string, reason: string, rest: Partial<KubernetesEvent>): KubernetesEvent => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${reason}` },
    involvedObject: { kind: 'Pod', name },
    reason,
    ...rest,
  });

  it('returns the newest events of the objects of the cluster, newest first', async () => {
    const items = [
      event('vm-m', 'Oldest', { lastTimestamp: '2026-11-22T19:00:00Z' }),
      event('vm-m', 'Newest', { lastTimestamp: '2026-11-22T19:03:00Z', count: 4, message: 'a\n b' }),
      event('vm-m', 'Newer', { lastTimestamp: null, eventTime: '2026-11-22T19:02:00Z', message: 'x' }),
      event('other', 'Other', { lastTimestamp: '2026-11-22T19:09:00Z' }),
    ];
    const { url, received } = await serve((response) => json(response, { items }));
    const client = new KubernetesClient(new RestClient(new Transport(configFor(url)), new AbortController().signal));
    const view = viewOf({ pods: [podOf('m')] });
    expect(await newestEvents(client, { name: 'pr', namespace: 'knest' }, view, 2)).toEqual([
      'Event 2026-11-22T19:03:00Z Pod vm-m: Newest (4 times): a b',
      'Event 2026-11-22T19:02:00Z Pod vm-m: Newer: x',
    ]);
    expect(received.map(({ path }) => path)).toEqual(['/api/v1/namespaces/knest/events?limit=500']);
  });
});
