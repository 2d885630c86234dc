import { describe, expect, it } from 'vitest';
import { Annotations, Labels, repositoryLabels } from '../../../../src/cluster/identity/identity.ts';
import { findMembers, isReady } from '../../../../src/cluster/pool/member.ts';
import type { Machine } from '../../../../src/host/api/cluster-api-objects.ts';
import { hostWith } from '../../host/fake-host.ts';
import { clusterOf, condition, machineOf, scalable, viewOf } from '../samples.ts';
import { now } from './members.ts';

const cluster = clusterOf({ status: { conditions: [condition('ControlPlaneInitialized', 'True')] } });
const controlPlanes = [scalable('KubeadmControlPlane', 'pr-cp', { spec: { replicas: 1 } })];
const machineDeployments = [scalable('MachineDeployment', 'pr-md-0', { spec: { replicas: 1 } })];
const WITHOUT_CNI = 'container runtime network not ready: cni plugin not initialized';
const node = (name: string, conditions: NonNullable<Machine['status']>['conditions']): Machine =>
  machineOf(name, { status: { nodeRef: { name }, ...(conditions !== undefined && { conditions }) } });
const ready = (name: string): Machine => node(name, [condition('NodeReady', 'True')]);
const withoutCni = (name: string): Machine => node(name, [condition('NodeReady', 'False', { message: WITHOUT_CNI })]);
const booting = machineOf('pr-md-0-a', {});
const all = { cluster, controlPlanes, machineDeployments };

describe('a member', () => {
  it('is ready with all of the nodes that its objects ask for', () => {
    const view = viewOf({ ...all, machines: [ready('pr-cp-a'), ready('pr-md-0-a')] });
    expect(isReady(view, true, now)).toBe(true);
  });

  it.each([
    ['a machine is still booting', { machines: [ready('pr-cp-a'), booting] }],
    ['a machine does not exist yet', { machines: [ready('pr-cp-a')] }],
    ['its CNI does not run', { machines: [ready('pr-cp-a'), withoutCni('pr-md-0-a')] }],
  ])('is not ready while %s', (_title, parts) => {
    expect(isReady(viewOf({ ...all, ...parts }), true, now)).toBe(false);
  });

  it('is not ready while objects of it may be missing, whose workers nobody has asked for yet', () => {
    const { metadata } = cluster;
    const annotations = { ...metadata.annotations, [Annotations.unfinished]: 'true' };
    const unfinished = { ...cluster, metadata: { ...metadata, annotations } };
    const parts = { cluster: unfinished, controlPlanes, machines: [ready('pr-cp-a')] };
    expect(isReady(viewOf(parts), true, now)).toBe(false);
    expect(isReady(viewOf({ ...parts, cluster }), true, now)).toBe(true);
  });

  it('is ready without a CNI where the pool has none, once all machines have joined', () => {
    const joined = viewOf({ ...all, machines: [withoutCni('pr-cp-a'), withoutCni('pr-md-0-a')] });
    expect(isReady(joined, false, now)).toBe(true);
    expect(isReady(viewOf({ ...all, machines: [withoutCni('pr-cp-a'), booting] }), false, now)).toBe(false);
  });
});

describe('findMembers', () => {
  it('finds the free members of the repository, with the nodes of the host on which their machines run', async () => {
    const repository = { server: 'github.com', repositoryId: '4711' };
    const named = (name: string, labels: Readonly<Record<string, string>>) => ({
      metadata: { name, namespace: 'knest', labels },
    });
    const free = { ...repositoryLabels(repository), [Labels.pool]: 'small' };
    const clusters = [
      named('small-slot-1', free),
      named('small-slot-2', repositoryLabels(repository)),
      named('small-slot-3', { ...free, [Labels.repositoryId]: '42' }),
    ];
    const pod = (cluster: string, nodeName: string) => ({
      ...named(`vm-${cluster}`, { [Labels.clusterName]: cluster }),
      spec: { nodeName },
    });
    const { client } = await hostWith({
      '/apis/cluster.x-k8s.io/v1beta2/namespaces/knest/clusters': { items: clusters },
      '/api/v1/namespaces/knest/pods': { items: [pod('small-slot-1', 'one'), pod('small-slot-2', 'other')] },
    });
    const query = { pool: 'small', namespace: 'knest', repository, hasCni: true, now };
    const { members, taken } = await findMembers(client, query);
    expect(members.map(({ name, hostNodes }) => ({ name, hostNodes }))).toEqual([
      { name: 'small-slot-1', hostNodes: ['one'] },
    ]);
    expect([...taken]).toEqual(['small-slot-1', 'small-slot-2', 'small-slot-3']);
  });
});
