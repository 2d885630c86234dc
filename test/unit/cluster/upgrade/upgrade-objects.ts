import { Labels } from '../../../../src/cluster/identity/identity.ts';
import type { UpgradeInputs } from '../../../../src/inputs.ts';
import type { KubernetesObject } from '../../../../src/host/api/objects.ts';
import type { ObjectStore } from '../../../support/object-store.ts';
import { controlPlaneLabels } from '../samples.ts';

export const OLD = 'v1.34.1';
const labels = { [Labels.clusterName]: 'pr', [Labels.managed]: 'true' };
const kubevirtTemplate = (name: string): KubernetesObject => {
  const volumes = [{ name: 'root', containerDisk: { image: 'node:old' } }];
  const spec = { virtualMachineTemplate: { spec: { template: { spec: { volumes } } } } };
  return object('infrastructure.cluster.x-k8s.io/v1alpha1', 'KubevirtMachineTemplate', name, { template: { spec } });
};

function object(apiVersion: string, kind: string, name: string, spec: object, more: object = {}): KubernetesObject {
  return { apiVersion, kind, metadata: { name, labels }, spec, ...more } as KubernetesObject;
}

function machine(name: string, role: Readonly<Record<string, string>>): KubernetesObject {
  const conditions = ['NodeReady', 'UpToDate'].map((type) => ({ type, status: 'True' }));
  const status = { nodeRef: { name }, conditions };
  const made = object('cluster.x-k8s.io/v1beta2', 'Machine', name, { version: OLD }, { status });
  return { ...made, metadata: { ...made.metadata, labels: { ...labels, ...role } } };
}

/** Puts a cluster of KubeVirt there, of one control plane and one worker, whose Cluster has this more in its spec. */
export function putCluster(store: ObjectStore, spec: object = {}): void {
  const reference = (name: string): object => ({
    apiGroup: 'infrastructure.cluster.x-k8s.io',
    kind: 'KubevirtMachineTemplate',
    name,
  });
  const controlPlaneRef = { kind: 'KubeadmControlPlane', name: 'pr-cp' };
  const cluster = { infrastructureRef: { kind: 'KubevirtCluster', name: 'pr' }, controlPlaneRef, ...spec };
  store.put(object('cluster.x-k8s.io/v1beta2', 'Cluster', 'pr', cluster));
  const machineTemplate = { spec: { infrastructureRef: reference('pr-cp') } };
  const controlPlane = { replicas: 1, version: OLD, machineTemplate };
  store.put(object('controlplane.cluster.x-k8s.io/v1beta2', 'KubeadmControlPlane', 'pr-cp', controlPlane));
  const template = { spec: { version: OLD, infrastructureRef: reference('pr-md-0') } };
  store.put(object('cluster.x-k8s.io/v1beta2', 'MachineDeployment', 'pr-md-0', { replicas: 1, template }));
  for (const name of ['pr-cp', 'pr-md-0']) store.put(kubevirtTemplate(name));
  store.put(machine('pr-cp-a', controlPlaneLabels));
  store.put(machine('pr-md-0-a', { 'cluster.x-k8s.io/deployment-name': 'pr-md-0' }));
}

/** The inputs for a version with a separate image. */
export function inputsFor(version: string, image = `node:${version}`): UpgradeInputs {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const images = { kernelImage: undefined, rootfsImage: undefined, rootfsSize: undefined };
  return {
    command: 'upgrade',
    name: 'pr',
    namespace: 'knest',
    askedVersion: { kind: 'exact', version: { major, minor, patch, text: version } },
    nodeImage: image,
    controlPlane: images,
    workers: images,
  } as UpgradeInputs;
}
