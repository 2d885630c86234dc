import { describe, expect, it } from 'vitest';
import { describeMachines, machineCounts } from '../../../../src/cluster/machines/machine-counts.ts';
import type { KubernetesObject } from '../../../../src/host/api/objects.ts';

const object = (kind: string, spec: object = {}): KubernetesObject & { readonly spec: object } => ({
  apiVersion: 'v1beta2',
  kind,
  metadata: { name: kind.toLowerCase() },
  spec,
});

describe('machineCounts', () => {
  it.each<[string, readonly KubernetesObject[], number | undefined, number | undefined]>([
    [
      'a control plane and two deployments',
      [
        object('KubeadmControlPlane', { replicas: 3 }),
        object('MachineDeployment', { replicas: 2 }),
        object('MachineDeployment', { replicas: 5 }),
      ],
      3,
      7,
    ],
    ['parts that do not say', [object('KubeadmControlPlane'), object('MachineDeployment')], 1, 1],
    ['a control plane alone', [object('Cluster'), object('KubeadmControlPlane', { replicas: 1 })], 1, 0],
    ['another control plane', [object('KamajiControlPlane', { replicas: 2 })], undefined, 0],
    ['a pool', [object('KubeadmControlPlane', { replicas: 1 }), object('MachinePool', { replicas: 4 })], 1, undefined],
    [
      'a topology',
      [
        object('Cluster', {
          topology: { controlPlane: { replicas: 3 }, workers: { machineDeployments: [{ replicas: 2 }, {}] } },
        }),
      ],
      3,
      3,
    ],
    [
      'a topology with a pool',
      [object('Cluster', { topology: { controlPlane: { replicas: 1 }, workers: { machinePools: [{}] } } })],
      1,
      undefined,
    ],
  ])('counts those of %s', (_what, objects, controlPlane, workers) => {
    expect(machineCounts(objects)).toEqual({ controlPlane, workers });
  });
});

describe('describeMachines', () => {
  it('says what is not known', () => {
    expect(describeMachines({ controlPlane: 1, workers: 0 })).toBe('control plane: 1, workers: 0');
    expect(describeMachines({ controlPlane: undefined, workers: undefined })).toBe(
      'control plane: not known, workers: not known',
    );
  });
});
