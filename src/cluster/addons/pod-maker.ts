import type { Condition, KubernetesObject, Taint } from '../../host/api/objects.ts';

/** The taint of control planes that kubeadm sets. Source: k8s.io/kubernetes cmd/kubeadm/app/constants. */
export const CONTROL_PLANE_TAINT = 'node-role.kubernetes.io/control-plane';

/** What lets a pod run on a node with such a taint. */
export interface Toleration {
  readonly key?: string;
  readonly operator?: 'Exists' | 'Equal';
  readonly value?: string;
  readonly effect?: string;
}

/** An apps/v1 Deployment, DaemonSet or StatefulSet, as far as it shows which pods it makes. */
export interface PodMaker extends KubernetesObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly template?: {
      readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
      readonly spec?: { readonly tolerations?: readonly Toleration[] };
    };
  };
}

/** An apps/v1 StatefulSet. */
export interface StatefulSet extends PodMaker {
  readonly status?: { readonly readyReplicas?: number; readonly observedGeneration?: number };
}

/** An `apiregistration.k8s.io/v1` APIService. */
export interface ApiService extends KubernetesObject {
  readonly spec?: { readonly service?: { readonly name?: string; readonly namespace?: string } };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/**
 * Whether a toleration lets pods run in spite of a taint. Source: k8s.io/api core/v1 toleration.go, ToleratesTaint.
 */
export function tolerates(
  { key = '', operator = 'Equal', value = '', effect = '' }: Toleration,
  taint: Taint,
): boolean {
  const isKey = key === taint.key || (key === '' && operator === 'Exists');
  const isValue = operator === 'Exists' || value === (taint.value ?? '');
  return isKey && isValue && (effect === '' || effect === taint.effect);
}
