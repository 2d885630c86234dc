import { describe, expect, it } from 'vitest';
import { areWorkersUpgraded, isControlPlaneUpgraded } from '../../../../src/cluster/upgrade/goals.ts';
import type { Machine, Scalable } from '../../../../src/host/api/cluster-api-objects.ts';
import { condition, controlPlaneLabels, machineOf, scalable, viewOf } from '../samples.ts';

const NEW = 'v1.35.2';
const upToDate = [condition('UpToDate', 'True')];
const workerLabels = { 'cluster.x-k8s.io/deployment-name': 'pr-md-0' };
const machine = (labels: Readonly<Record<string, string>>, parts: Parameters<typeof machineOf>[1] = {}): Machine =>
  machineOf('m', {
    metadata: { labels, ...parts.metadata },
    spec: { version: NEW, ...parts.spec },
    status: { nodeRef: { name: 'm' }, conditions: upToDate, ...parts.status },
  });
/** What keeps a machine from being done. */
const unfinished = (labels: Readonly<Record<string, string>>): readonly (readonly [string, Machine])[] => [
  ['has the old version', machine(labels, { spec: { version: 'v1.34.1' } })],
  ['is not a node', machineOf('m', { metadata: { labels }, spec: { version: NEW }, status: { conditions: upToDate } })],
  ['is deleted', machine(labels, { metadata: { labels, deletionTimestamp: 'now' } })],
  ['is to change once more', machine(labels, { status: { conditions: [condition('UpToDate', 'False')] } })],
  ['is not judged yet', machine(labels, { status: { conditions: [] } })],
];

describe('a control plane', () => {
  const controlPlane = (status: Scalable['status'] = {}): Scalable =>
    scalable('KubeadmControlPlane', 'pr-cp', {
      spec: { replicas: 1 },
      status: { version: NEW, replicas: 1, upToDateReplicas: 1, ...status },
    });
  const isDone = (status: Scalable['status'], ...machines: readonly Machine[]): boolean =>
    isControlPlaneUpgraded(viewOf({ controlPlanes: [controlPlane(status)], machines }), NEW);

  it('is upgraded once its status and its machines say so', () => {
    expect(isDone({}, machine(controlPlaneLabels))).toBe(true);
  });

  it.each([{ version: 'v1.34.1' }, { upToDateReplicas: 0 }, { replicas: 2 }])('is not with the status %j', (status) => {
    expect(isDone(status, machine(controlPlaneLabels))).toBe(false);
  });

  it.each(unfinished(controlPlaneLabels))('is not while a machine %s', (_, one) => {
    expect(isDone({}, one)).toBe(false);
  });

  it('is not while nothing of it is seen, or a machine is too many', () => {
    expect(isControlPlaneUpgraded(viewOf(), NEW)).toBe(false);
    expect(isDone({}, machine(controlPlaneLabels), machine(controlPlaneLabels))).toBe(false);
  });
});

describe('workers', () => {
  const deployment = scalable('MachineDeployment', 'pr-md-0', { spec: { replicas: 1 } });
  const areDone = (...machines: readonly Machine[]): boolean =>
    areWorkersUpgraded(viewOf({ machineDeployments: [deployment], machines }), NEW, ['pr-md-0']);

  it('are upgraded, whatever becomes of machines that are not theirs', () => {
    expect(areDone(machine(workerLabels), machine(controlPlaneLabels, { spec: { version: 'v1.34.1' } }))).toBe(true);
  });

  it.each(unfinished(workerLabels))('are not while a machine %s', (_, one) => {
    expect(areDone(one)).toBe(false);
  });

  it('are not while the MachineDeployment is not seen, or has fewer machines', () => {
    expect(areWorkersUpgraded(viewOf({ machines: [machine(workerLabels)] }), NEW, ['pr-md-0'])).toBe(false);
    expect(areDone()).toBe(false);
  });
});
