import { conditionOf, type Condition, type KubernetesObject, type Service } from '../../host/api/objects.ts';
import { Labels } from '../identity/identity.ts';

/** `infrastructure.cluster.x-k8s.io/v1alpha1` KubevirtCluster. Source: cluster-api-provider-kubevirt v0.11.2 api/v1alpha1. */
interface KubevirtCluster extends KubernetesObject {
  readonly spec?: {
    /** Set when its machines and its Service are on another cluster. */
    readonly infraClusterSecretRef?: unknown;
    readonly controlPlaneServiceTemplate?: {
      readonly metadata?: {
        readonly namespace?: string;
        readonly labels?: Readonly<Record<string, string>>;
        readonly annotations?: Readonly<Record<string, string>>;
      };
      readonly spec?: { readonly type?: string };
    };
  };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/**
 * What the provider reports whenever it cannot create the Service. Source: cluster-api-provider-kubevirt v0.11.2
 * pkg/loadbalancer/loadbalancer.go, Create; k8s.io/api core/v1, ErrIntOverflowGenerated.
 */
const ANY_REASON = 'proto: integer overflow';

/** The Service before the API servers as the provider tried to create it, if that failed. Source: as above. */
export function refusedService(infrastructureCluster: KubernetesObject, cluster: string): Service | undefined {
  const object: KubevirtCluster = infrastructureCluster;
  const { infraClusterSecretRef, controlPlaneServiceTemplate: { metadata = {}, spec = {} } = {} } = object.spec ?? {};
  const available = conditionOf(object, 'LoadBalancerAvailable');
  if (available?.status !== 'False' || available.message !== ANY_REASON) return undefined;
  if (infraClusterSecretRef !== undefined) return undefined;
  const ofCluster = { [Labels.clusterName]: cluster };
  const namespace = metadata.namespace ?? object.metadata.namespace ?? '';
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metadata, name: `${cluster}-lb`, namespace, labels: { ...metadata.labels, ...ofCluster } },
    spec: { ...spec, ports: [{ port: 6443 }], selector: { ...ofCluster, 'cluster.x-k8s.io/role': 'control-plane' } },
  };
}
