import type { Cluster, KubeadmConfigSpec, Machine, MachineSpec, Scalable } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds, type Kind } from '../../host/api/kinds.ts';
import type { Role } from '../engines/engine.ts';
import { belongingTo } from '../identity/cluster-handle.ts';
import { findControlPlane } from '../machines/control-plane.ts';
import { refusal } from './refusal.ts';

/** The control plane of a cluster, or one of its MachineDeployments. */
export interface Part {
  readonly role: Role;
  readonly kind: Kind<Scalable>;
  readonly object: Scalable;
  /** What kubeadm does on its machines; a list, since a bootstrap template may be missing. */
  readonly kubeadm: readonly KubeadmConfigSpec[];
}

/** All of a cluster that has a version of Kubernetes. */
export interface Parts {
  readonly controlPlane: Part;
  readonly workers: readonly Part[];
  readonly machines: readonly Machine[];
}

/** What the machines of a part are to be. */
export function machineSpecOf({ kind, object }: Pick<Part, 'kind' | 'object'>): MachineSpec {
  const { spec } = object;
  return kind === Kinds.kubeadmControlPlane
    ? { ...spec?.machineTemplate?.spec, ...(spec?.version !== undefined && { version: spec.version }) }
    : (spec?.template?.spec ?? {});
}

/** The merge patch that changes version and, unless undefined, the machine template of a part. */
export function patchOf({ kind }: Part, version: string, machineTemplate: string | undefined): object {
  const infrastructure = machineTemplate === undefined ? {} : { infrastructureRef: { name: machineTemplate } };
  if (kind !== Kinds.kubeadmControlPlane) return { template: { spec: { version, ...infrastructure } } };
  return { version, ...(machineTemplate !== undefined && { machineTemplate: { spec: infrastructure } }) };
}

/** How a part is called in messages. */
export function titleOf({ kind, object }: Pick<Part, 'kind' | 'object'>): string {
  return `${kind.kind} ${object.metadata.name}`;
}

/** Reads the parts of a cluster. Throws KNEST_UPGRADE when its control plane is not a KubeadmControlPlane. */
export async function findParts(client: KubernetesClient, cluster: Cluster): Promise<Parts> {
  const { name, namespace = '' } = cluster.metadata;
  const controlPlane = await findControlPlane(client, cluster);
  if ('reason' in controlPlane) throw refusal(name, controlPlane.reason);
  const selection = belongingTo({ name, namespace });
  const deployments = await client.list(Kinds.machineDeployment, selection);
  const workers = deployments.map(async (object): Promise<Part> => {
    const { configRef } = object.spec?.template?.spec?.bootstrap ?? {};
    const template = await client.get(Kinds.kubeadmConfigTemplate, configRef?.name ?? '', namespace);
    const spec = template?.spec?.template?.spec;
    return { role: 'worker', kind: Kinds.machineDeployment, object, kubeadm: spec === undefined ? [] : [spec] };
  });
  const { kubeadmConfigSpec } = controlPlane.spec ?? {};
  return {
    controlPlane: {
      role: 'control-plane',
      kind: Kinds.kubeadmControlPlane,
      object: controlPlane,
      kubeadm: kubeadmConfigSpec === undefined ? [] : [kubeadmConfigSpec],
    },
    workers: await Promise.all(workers),
    machines: await client.list(Kinds.machine, selection),
  };
}
