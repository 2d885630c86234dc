import { describe, expect, it } from 'vitest';
import { findObstacle, findRisks } from '../../../../src/cluster/upgrade/checks.ts';
import type { Part, Parts } from '../../../../src/cluster/upgrade/parts.ts';
import type { KubeadmConfigSpec, Machine, MachineSpec } from '../../../../src/host/api/cluster-api-objects.ts';
import { Kinds } from '../../../../src/host/api/kinds.ts';
import { parseVersion, type Version } from '../../../../src/values/version.ts';
import { clusterOf, condition, controlPlaneLabels, machineOf, scalable } from '../samples.ts';

const OLD = 'v1.34.1';

function version(text: string): Version {
  const parsed = parseVersion(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

/** A machine that is a node; of the control plane, unless it is a worker. */
function node(name: string, isWorker = false, parts: Parameters<typeof machineOf>[1] = {}): Machine {
  const labels = isWorker ? { 'cluster.x-k8s.io/deployment-name': 'pr-md-0' } : controlPlaneLabels;
  const { metadata, spec, status } = parts;
  return machineOf(name, {
    metadata: { labels, ...metadata },
    spec: { version: OLD, ...spec },
    status: { nodeRef: { name }, conditions: [condition('NodeReady', 'True')], ...status },
  });
}

const drained: MachineSpec = { deletion: { nodeDrainTimeoutSeconds: 120 } };

/** A cluster of one control plane and one worker. */
function partsOf(
  machines: readonly Machine[] = [node('cp'), node('md', true)],
  kubeadm: KubeadmConfigSpec = {},
  spec = drained,
): Parts {
  const machineTemplate = { spec };
  const controlPlane: Part = {
    role: 'control-plane',
    kind: Kinds.kubeadmControlPlane,
    object: scalable('KubeadmControlPlane', 'pr-cp', { spec: { version: OLD, machineTemplate } }),
    kubeadm: [kubeadm],
  };
  const template = { spec: { version: OLD, ...spec } };
  const worker: Part = {
    role: 'worker',
    kind: Kinds.machineDeployment,
    object: scalable('MachineDeployment', 'pr-md-0', { spec: { template } }),
    kubeadm: [],
  };
  return { controlPlane, workers: [worker], machines };
}

const obstacle = (target: string, parts = partsOf(), isUnderWay = false): string | undefined =>
  findObstacle(clusterOf(), parts, version(target), isUnderWay)?.reason;
const withFlag = (name: string, value = ''): KubeadmConfigSpec => ({
  joinConfiguration: { nodeRegistration: { kubeletExtraArgs: [{ name, value }] } },
});

describe('an upgrade of a cluster that is well', () => {
  it.each(['1.34.1', '1.34.2', '1.35.0', '1.35.9'])('goes to %s', (target) => {
    expect(obstacle(target)).toBeUndefined();
  });

  it.each([
    ['1.34.0', 'KubeadmControlPlane pr-cp has v1.34.1, which is newer than v1.34.0'],
    ['1.34.1-rc.1', 'KubeadmControlPlane pr-cp has v1.34.1, which is newer than v1.34.1-rc.1'],
    ['1.36.0', 'from v1.34.1 to v1.36.0 is more than one minor version'],
    ['2.0.0', 'from v1.34.1 to v2.0.0 is more than one minor version'],
  ])('does not go to %s', (target, reason) => {
    expect(obstacle(target)).toBe(reason);
  });

  it('counts from the oldest machine of the control plane, and leaves old kubelets of workers alone', () => {
    const behind = partsOf([node('cp', false, { spec: { version: 'v1.33.1' } }), node('md', true)]);
    expect(obstacle('1.35.0', behind)).toBe('from v1.33.1 to v1.35.0 is more than one minor version');
    const old = (minor: number): Parts =>
      partsOf([node('cp'), node('md', true, { spec: { version: `v1.${minor}.1` } })]);
    expect(obstacle('1.35.0', old(32))).toBeUndefined();
    expect(obstacle('1.35.0', old(31))).toBe('the kubelets of Machine md (v1.31.1) are too old for v1.35.0');
  });
});

describe('a cluster is not upgraded', () => {
  it('while it is paused', () => {
    expect(findObstacle(clusterOf({ spec: { paused: true } }), partsOf(), version('1.35.0'), false)?.reason).toBe(
      'it is paused',
    );
  });

  it('while it is being deleted', () => {
    const { metadata, ...rest } = clusterOf();
    const going = { ...rest, metadata: { ...metadata, deletionTimestamp: '2026-11-24T12:00:00Z' } };
    expect(findObstacle(going, partsOf(), version('1.35.0'), true)?.reason).toBe('it is being deleted');
  });

  it.each([
    [{ spec: { paused: true } }, 'is paused'],
    [{ metadata: { annotations: { 'cluster.x-k8s.io/paused': '' } } }, 'is paused'],
    [
      { spec: { rollout: { strategy: { type: 'OnDelete' } } } },
      'replaces machines only when they are deleted (OnDelete)',
    ],
  ])('when Cluster API replaces no machines of a part of it (%#)', (given, reason) => {
    const held = <T extends Part>(part: T): T => {
      const { metadata, spec, ...rest } = part.object;
      const { metadata: more = {}, spec: changed = {} }: { metadata?: object; spec?: object } = given;
      return { ...part, object: { ...rest, metadata: { ...metadata, ...more }, spec: { ...spec, ...changed } } };
    };
    const { controlPlane, workers, machines } = partsOf();
    const first = { controlPlane: held(controlPlane), workers, machines };
    expect(obstacle('1.35.0', first, true)).toBe(`KubeadmControlPlane pr-cp ${reason}`);
    const second = { controlPlane, workers: workers.map(held), machines };
    expect(obstacle('1.35.0', second)).toBe(`MachineDeployment pr-md-0 ${reason}`);
  });

  it('with a machine that nothing makes anew', () => {
    const stray = machineOf('stray', { spec: { version: OLD }, status: { nodeRef: { name: 'stray' } } });
    expect(obstacle('1.35.0', partsOf([node('cp'), stray]))).toMatch(/^Machine stray belongs to neither /);
  });

  it.each([
    [
      'its machines are being replaced already',
      node('md', true, { status: { conditions: [condition('UpToDate', 'False')] } }),
    ],
    ['its machines are being replaced already', node('md', true, { metadata: { deletionTimestamp: 'now' } })],
    ['machine md is not a node yet', machineOf('md', { spec: { version: OLD }, status: {} })],
    ['the node of machine md is not Ready', node('md', true, { status: { conditions: [] } })],
  ])('while %s, unless that is the same upgrade', (reason, machine) => {
    const { labels } = node('md', true).metadata;
    const labelled = { ...machine, metadata: { ...machine.metadata, labels: labels ?? {} } };
    expect(obstacle('1.35.0', partsOf([node('cp'), labelled]))).toContain(reason);
    expect(obstacle('1.35.0', partsOf([node('cp'), labelled]), true)).toBeUndefined();
  });

  it('whose control plane is NotReady without a CNI is, when it has no workers', () => {
    expect(obstacle('1.35.0', partsOf([node('cp', false, { status: { conditions: [] } })]))).toBeUndefined();
  });

  it('to a version that removed a flag of its kubelets, also while it is under way', () => {
    const parts = partsOf(undefined, withFlag('pod-infra-container-image', 'pause:1'));
    const reason =
      'its kubelets of KubeadmControlPlane pr-cp have the flag --pod-infra-container-image, which Kubernetes 1.35 removed';
    expect(obstacle('1.35.0', parts)).toBe(reason);
    expect(obstacle('1.35.0', parts, true)).toBe(reason);
    expect(obstacle('1.34.2', parts)).toBeUndefined();
    expect(obstacle('1.35.0', partsOf(undefined, withFlag('provider-id')))).toBeUndefined();
  });
});

describe('the risks of an upgrade', () => {
  it('are none with bounded drains and no feature gates', () => {
    expect(findRisks(partsOf())).toEqual([]);
  });

  it('are drains without end, and feature gates', () => {
    const risks = findRisks(partsOf(undefined, withFlag('feature-gates', 'A=true'), {}));
    expect(risks).toEqual([
      'KubeadmControlPlane pr-cp sets feature gates of kubelets, which the new version has to know: A=true',
      expect.stringMatching(/^KubeadmControlPlane pr-cp has no nodeDrainTimeoutSeconds: /),
      expect.stringMatching(/^MachineDeployment pr-md-0 has no nodeDrainTimeoutSeconds: /),
    ]);
  });
});
