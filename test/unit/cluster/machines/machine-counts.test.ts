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
    ['objects without replicas', [object('KubeadmControlPlane'), object('MachineDeployment')], 1, 1],
    ['only a control plane', [object('Cluster'), object('KubeadmControlPlane', { replicas: 1 })], 1, 0],
    ['another kind of control plane', [object('KamajiControlPlane', { replicas: 2 })], undefined, 0],
    [
      'a MachinePool',
      [object('KubeadmControlPlane', { replicas: 1 }), object('MachinePool', { replicas: 4 })],
      1,
      undefined,
    ],
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
      'a topology with a MachinePool',
      [object('Cluster', { topology: { controlPlane: { replicas: 1 }, workers: { machinePools: [{}] } } })],
      1,
      undefined,
    ],
  ])('counts the machines of %s', (_what, objects, controlPlane, workers) => {
    expect(machineCounts(objects)).toEqual({ controlPlane, workers });
  });
});

describe('describeMachines', () => {
  it('says which numbers are not known', () => {
    expect(describeMachines({ controlPlane: 1, workers: 0 })).toBe('control plane: 1, workers: 0');
    expect(describeMachines({ controlPlane: undefined, workers: undefined })).toBe(
      'control plane: not known, workers: not known',
    );
  });
});
