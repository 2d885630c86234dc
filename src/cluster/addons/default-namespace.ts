import { groupOf, isOfKind, Kinds } from '../../host/api/kinds.ts';
import type { CustomResourceDefinition, KubernetesObject } from '../../host/api/objects.ts';

/** Kinds of Kubernetes itself that belong to no namespace, by their API groups. Source: `kubectl api-resources` of v1.36. */
const CLUSTER_SCOPED: Readonly<Record<string, readonly string[]>> = {
  '': ['Namespace', 'Node', 'PersistentVolume'],
  'admissionregistration.k8s.io': [
    'MutatingAdmissionPolicy',
    'MutatingAdmissionPolicyBinding',
    'MutatingWebhookConfiguration',
    'ValidatingAdmissionPolicy',
    'ValidatingAdmissionPolicyBinding',
    'ValidatingWebhookConfiguration',
  ],
  'apiextensions.k8s.io': ['CustomResourceDefinition'],
  'apiregistration.k8s.io': ['APIService'],
  'flowcontrol.apiserver.k8s.io': ['FlowSchema', 'PriorityLevelConfiguration'],
  'networking.k8s.io': ['IngressClass', 'IPAddress', 'ServiceCIDR'],
  'node.k8s.io': ['RuntimeClass'],
  'rbac.authorization.k8s.io': ['ClusterRole', 'ClusterRoleBinding'],
  'scheduling.k8s.io': ['PriorityClass'],
  'storage.k8s.io': ['CSIDriver', 'CSINode', 'StorageClass', 'VolumeAttachment', 'VolumeAttributesClass'],
};

/**
 * The objects with the namespace `default` where they name none, as kubectl does: Cluster API sends them as they are, and
 * the API server refuses those that belong in a namespace. It takes the namespace away from others that get one here.
 */
export function withDefaultNamespace(objects: readonly KubernetesObject[]): readonly KubernetesObject[] {
  const defined = objects.filter(isDefinition).filter(({ spec }) => spec?.scope === 'Cluster');
  const isClusterScoped = (object: KubernetesObject): boolean =>
    CLUSTER_SCOPED[groupOf(object)]?.includes(object.kind) === true ||
    defined.some(({ spec }) => spec?.group === groupOf(object) && spec.names?.kind === object.kind);
  return objects.map((object) => {
    const { metadata } = object;
    const { namespace = '' } = metadata;
    if (namespace !== '' || isClusterScoped(object)) return object;
    return { ...object, metadata: { ...metadata, namespace: 'default' } };
  });
}

/** A CustomResourceDefinition, with the fields for the scope of its objects. */
interface Definition extends CustomResourceDefinition {
  readonly spec?: {
    readonly group?: string;
    readonly names?: { readonly kind?: string };
    readonly scope?: string;
  };
}

function isDefinition(object: KubernetesObject): object is Definition {
  return isOfKind(object, Kinds.customResourceDefinition);
}
