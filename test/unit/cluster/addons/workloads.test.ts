import { describe, expect, it } from 'vitest';
import {
  podsOf,
  titleOf,
  withoutPlace,
  workloadProblem,
  workloadsIn,
} from '../../../../src/cluster/addons/workloads.ts';
import { parseManifest } from '../../../../src/host/api/manifest.ts';
import type { KubernetesObject, Node, Pod, Taint } from '../../../../src/host/api/objects.ts';
import type { Toleration } from '../../../../src/cluster/addons/pod-maker.ts';
import { condition } from '../samples.ts';

const CONTROL_PLANE: Taint = { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' };

function maker(kind: string, tolerations: readonly Toleration[] = [], parts: object = {}): KubernetesObject {
  const labels = { app: 'x', more: 'y' };
  const template = { metadata: { labels }, spec: { tolerations } };
  const spec = { selector: { matchLabels: { app: 'x' } }, template };
  return { apiVersion: 'apps/v1', kind, metadata: { name: 'x', namespace: 'n' }, spec, ...parts } as KubernetesObject;
}

function node(...taints: readonly Taint[]): Node {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node' }, spec: { taints } };
}

const apiService: KubernetesObject = {
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: 'v1.x' },
  spec: { service: { name: 's', namespace: 'n' } },
} as never;
const service: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 's', namespace: 'n' },
  spec: { selector: { app: 'x' } },
} as never;

/** The status of a workload that its controller has seen. */
const seen = { observedGeneration: 1 };

describe('workloadsIn', () => {
  it('are what runs pods, and APIServices', () => {
    const objects = [
      ...['Deployment', 'DaemonSet', 'StatefulSet'].map((kind) => maker(kind)),
      ...[apiService, service, ...parseManifest('{apiVersion: example.com/v1, kind: Deployment, metadata: {name: y}}')],
    ];
    expect(workloadsIn(objects).map(titleOf)).toEqual([
      'Deployment n/x',
      'DaemonSet n/x',
      'StatefulSet n/x',
      'APIService v1.x',
    ]);
  });
});

describe('workloadProblem', () => {
  const available = (status: 'True' | 'False'): object => ({
    status: { conditions: [condition('Available', status, { message: 'no endpoints' })] },
  });

  it.each<[KubernetesObject, object, string | undefined]>([
    [maker('Deployment'), available('True'), undefined],
    [maker('Deployment'), available('False'), 'is not available (no endpoints)'],
    [maker('DaemonSet'), { status: { ...seen, numberReady: 2, desiredNumberScheduled: 2 } }, undefined],
    [maker('DaemonSet'), { status: { ...seen, desiredNumberScheduled: 0 } }, undefined],
    [maker('DaemonSet'), { status: { ...seen, numberReady: 1, desiredNumberScheduled: 2 } }, 'has 1 of 2 pods ready'],
    [maker('DaemonSet'), { status: { ...seen } }, 'has 0 of an unknown number of pods ready'],
    [maker('DaemonSet'), { status: { numberReady: 0, desiredNumberScheduled: 0 } }, 'has no pods yet'],
    [maker('StatefulSet'), { status: { ...seen, readyReplicas: 1 } }, undefined],
    [maker('StatefulSet'), { status: { ...seen } }, 'has 0 of 1 pods ready'],
    [maker('StatefulSet'), { status: {} }, 'has no pods yet'],
    [maker('StatefulSet'), { spec: { replicas: 3 }, status: { ...seen, readyReplicas: 2 } }, 'has 2 of 3 pods ready'],
    [maker('StatefulSet'), { spec: { replicas: 0 }, status: { ...seen } }, undefined],
    [apiService, available('True'), undefined],
    [apiService, available('False'), 'is not available (no endpoints)'],
    [apiService, {}, 'is not available (no status yet)'],
  ])('of %o with %o', (wanted, parts, problem) => {
    expect(workloadProblem(wanted, { ...wanted, ...parts })).toBe(problem);
    expect(workloadProblem(wanted, undefined)).toBe('does not exist yet');
  });
});

describe('podsOf', () => {
  it('are those in its namespace that its selector matches', () => {
    const pod = (name: string, namespace: string, app: string): Pod => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels: { app } },
    });
    const pods = [pod('mine', 'n', 'x'), pod('other', 'n', 'z'), pod('elsewhere', 'm', 'x')];
    expect(podsOf(maker('Deployment'), pods).map(({ metadata }) => metadata.name)).toEqual(['mine']);
    expect(podsOf({ ...maker('Deployment'), spec: {} }, pods)).toEqual([]);
  });
});

describe('withoutPlace', () => {
  const titles = (objects: readonly KubernetesObject[], ...nodes: readonly Node[]): string[] =>
    withoutPlace(objects, nodes).map(titleOf);

  it('are workloads that no control plane takes, and the APIServices of their pods', () => {
    const objects = [maker('Deployment'), apiService, service];
    expect(titles(objects, node(CONTROL_PLANE))).toEqual(['Deployment n/x', 'APIService v1.x']);
    expect(titles(objects, node(CONTROL_PLANE), node())).toEqual([]);
    // Those of the API server itself, or of a Service elsewhere.
    expect(titles([maker('Deployment'), apiService], node(CONTROL_PLANE))).toEqual(['Deployment n/x']);
  });

  it.each<[Toleration, boolean]>([
    [{ key: CONTROL_PLANE.key, operator: 'Exists', effect: 'NoSchedule' }, true],
    [{ key: CONTROL_PLANE.key, operator: 'Exists' }, true],
    [{ operator: 'Exists' }, true],
    [{ key: CONTROL_PLANE.key }, true],
    [{ key: CONTROL_PLANE.key, value: 'other' }, false],
    [{ key: CONTROL_PLANE.key, operator: 'Exists', effect: 'NoExecute' }, false],
    [{ key: 'other', operator: 'Exists' }, false],
    [{}, false],
  ])('with the toleration %o runs: %s', (toleration, runs) => {
    expect(titles([maker('DaemonSet', [toleration])], node(CONTROL_PLANE))).toHaveLength(runs ? 0 : 1);
  });

  it('are not those that other taints keep waiting, nor those that a node would rather not take', () => {
    const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };
    expect(titles([maker('Deployment')], node(notReady))).toEqual([]);
    expect(titles([maker('Deployment')], node({ ...CONTROL_PLANE, effect: 'PreferNoSchedule' }))).toEqual([]);
  });
});
