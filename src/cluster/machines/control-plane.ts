import type { KubernetesClient } from '../../host/api/client.ts';
import type { Cluster, Scalable } from '../../host/api/cluster-api-objects.ts';
import { Kinds } from '../../host/api/kinds.ts';

/** The KubeadmControlPlane of a cluster, or why the action cannot change its control plane. */
export async function findControlPlane(
  client: KubernetesClient,
  { metadata, spec }: Cluster,
): Promise<Scalable | { readonly reason: string }> {
  const { kind, name = '' } = spec?.controlPlaneRef ?? {};
  const isKubeadm = kind === Kinds.kubeadmControlPlane.kind;
  const found = isKubeadm ? await client.get(Kinds.kubeadmControlPlane, name, metadata.namespace) : undefined;
  return found ?? { reason: `its control plane is ${kind ?? 'not set'}, not an existing KubeadmControlPlane` };
}
