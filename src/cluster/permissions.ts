import type { Permission } from '../host/preflight.ts';
import { Kinds, type Kind } from '../host/kinds.ts';

/** What a create wants of the host beyond what every one does. */
export interface Wants {
  readonly cni: boolean;
  readonly persistent: boolean;
}

/**
 * What `create` asks of the host, in the cluster's namespace, more for one with a CNI or one that is persistent; and of
 * the host as a whole when something is missing there.
 */
export function createPermissions(namespace: string, isInstalled: boolean, wants: Wants): readonly Permission[] {
  const inNamespace = (reason: string, verbs: readonly string[], ...kinds: readonly Kind[]): readonly Permission[] =>
    kinds.flatMap((kind) => verbs.map((verb) => permission(verb, kind, reason, namespace)));
  const cluster = [
    ...inNamespace(
      'to make the cluster and delete it again',
      ['create', 'get', 'watch', 'patch', 'delete'],
      Kinds.cluster,
    ),
    ...inNamespace('to apply the template', ['patch'], Kinds.kubeadmControlPlane, Kinds.machineDeployment),
    ...inNamespace('to see how far the cluster is', ['list', 'watch'], Kinds.machine, Kinds.pod),
    ...inNamespace('to read the kubeconfig of the cluster', ['get'], Kinds.secret),
    ...(wants.cni
      ? inNamespace('to install the CNI', ['create', 'patch'], Kinds.clusterResourceSet, Kinds.secret)
      : []),
    ...inNamespace('to find a way to its API server', ['get'], Kinds.service),
    ...(wants.persistent
      ? [
          ...inNamespace('to give its machines addresses', ['patch'], Kinds.ipPool),
          ...inNamespace(
            'to delete the disks of its machines with them',
            ['list', 'patch', 'delete'],
            Kinds.dataVolume,
            Kinds.persistentVolumeClaim,
          ),
        ]
      : []),
  ];
  if (isInstalled) return cluster;
  const reason = 'to install what the host lacks';
  return [
    ...cluster,
    permission('create', Kinds.customResourceDefinition, reason),
    permission('create', Kinds.namespace, reason),
    { verb: 'create', group: 'rbac.authorization.k8s.io', resource: 'clusterroles', reason },
    { verb: 'create', group: 'apps', resource: 'deployments', reason },
  ];
}

/** What `cleanup` asks of the host. What else it looks at, to tell that nothing is left, it may be denied. */
export function cleanupPermissions(namespace: string): readonly Permission[] {
  const reason = 'to find the clusters that have expired and delete them';
  return ['list', 'watch', 'get', 'delete'].map((verb) => permission(verb, Kinds.cluster, reason, namespace));
}

function permission(verb: string, { apiVersion, plural }: Kind, reason: string, namespace?: string): Permission {
  const group = apiVersion.includes('/') ? apiVersion.replace(/\/.*/, '') : '';
  return { verb, group, resource: plural, reason, ...(namespace !== undefined && { namespace }) };
}
