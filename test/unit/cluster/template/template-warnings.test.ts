import { describe, expect, it } from 'vitest';
import { reviewTemplate } from '../../../../src/cluster/template/template-warnings.ts';
import type { KubernetesObject } from '../../../../src/host/api/objects.ts';

const variables = {
  KUBERNETES_VERSION: '1.36.3',
  POD_NETWORK_CIDR: '10.95.0.0/16',
  WORKER_MACHINE_COUNT: '2',
  CONTROL_PLANE_SERVICE_TYPE: 'NodePort',
};
const allUsed = '${KUBERNETES_VERSION:=1.24.0} ${ POD_CIDR } ${VIRTINK_WORKER_MACHINE_COUNT}';
const object = (kind: string, name: string, spec: object = {}): KubernetesObject & { readonly spec: object } => ({
  apiVersion: 'v1',
  kind,
  metadata: { name },
  spec,
});
const controlPlane = object('KubeadmControlPlane', 'pr-cp', { replicas: 1 });
const check = object('MachineHealthCheck', 'pr-check');

const review = (text: string, ...objects: readonly KubernetesObject[]): readonly string[] =>
  reviewTemplate({ text, origin: 't' }, objects, 'pr', variables);

describe('reviewTemplate', () => {
  it('does not warn about a template like the action’s own, whatever the names of its variables are', () => {
    expect(review(allUsed, controlPlane, check)).toEqual([]);
  });

  it('names the inputs that have no effect, in one line', () => {
    expect(review('${KUBERNETES_VERSION}', controlPlane, check)).toEqual([
      'inputs ignored by this template: pod-network-cidr, worker-machine-count',
    ]);
  });

  it('warns when the number of machines is not known', () => {
    const kamaji = object('KamajiControlPlane', 'pr');
    expect(review(allUsed, kamaji, check)).toEqual([
      'the number of its machines is unknown (control plane: not known, workers: 0): wait-for: nodes waits for the machines that exist',
    ]);
  });

  it('warns without a health check, and about one that is too strict', () => {
    expect(review(allUsed, controlPlane)).toEqual([
      'it has no MachineHealthCheck: a machine that fails is not replaced',
    ]);
    const strict = { type: 'Ready', status: 'False' };
    const shapes = [{ unhealthyConditions: [strict] }, { checks: { unhealthyNodeConditions: [strict] } }];
    for (const spec of shapes) {
      expect(review(allUsed, controlPlane, object('MachineHealthCheck', 'pr-strict', spec))).toEqual([
        'MachineHealthCheck pr-strict replaces machines that are not Ready; without a CNI, none of them becomes Ready',
      ]);
    }
    const unknown = { unhealthyConditions: [{ type: 'Ready', status: 'Unknown' }] };
    expect(review(allUsed, controlPlane, object('MachineHealthCheck', 'pr-mild', unknown))).toEqual([]);
  });

  it('does not require a health check with a ClusterClass', () => {
    const topology = { controlPlane: { replicas: 1 }, workers: { machineDeployments: [{ replicas: 1 }] } };
    expect(review(allUsed, object('Cluster', 'pr', { topology }))).toEqual([]);
  });

  it('names objects that two clusters of the template would share', () => {
    expect(review(allUsed, controlPlane, check, object('ConfigMap', 'settings'), object('Secret', 'key'))).toEqual([
      'only one cluster at a time can use this template, since these objects are not named after the cluster: ConfigMap settings, Secret key',
    ]);
  });

  it('warns when the machines run elsewhere', () => {
    const elsewhere = object('VirtinkCluster', 'pr', { infraClusterSecretRef: { name: 'infra' } });
    expect(review(allUsed, controlPlane, check, elsewhere)).toEqual([
      'its machines run on the cluster of infraClusterSecretRef, where the action does not watch them',
    ]);
  });

  it('warns when the provider of KubeVirt enters the machines by SSH, which it does by default', () => {
    const machines = (checkStrategy?: string) =>
      object('KubevirtMachineTemplate', 'pr-cp', {
        template: { spec: checkStrategy === undefined ? {} : { virtualMachineBootstrapCheck: { checkStrategy } } },
      });
    const warning = expect.stringMatching(
      /^KubevirtMachineTemplate pr-cp has its provider enter each VM by SSH: /,
    ) as string;
    for (const strategy of ['ssh', undefined]) {
      expect(review(allUsed, controlPlane, check, machines(strategy))).toEqual([warning]);
    }
    expect(review(allUsed, controlPlane, check, machines('none'))).toEqual([]);
  });
});
