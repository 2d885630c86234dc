import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { conditionOf, type KubernetesObject, type Metadata, type Pod } from '../../host/api/objects.ts';
import type { Selection } from '../../host/api/paths.ts';
import type { ErrorCode } from '../../errors.ts';
import { Annotations, Labels } from '../identity/identity.ts';

/** A pod on the host that serves one nested cluster: the relay of a tunnel, a registry. */
export interface HostPod {
  readonly namespace: string;
  /** The name of its Deployment. */
  readonly name: string;
  /** Selects its pods, and none of an earlier cluster of that name. */
  readonly pods: Selection;
  /** What it is, for people. */
  readonly title: string;
  /** The port on the 127.0.0.1 of the pod that it serves jobs on. */
  readonly port: number;
  /** The code of the error when it does not start. */
  readonly code: ErrorCode;
  readonly imageAdvice: string;
  /** What else to do when the host does not let it start. */
  readonly alternative: string;
}

/** What a Deployment of such a pod has that others have not. */
export interface HostPodParts {
  /** Its own label, beside that of the cluster. */
  readonly label: string;
  /** Texts of configuration, by the names of their files. */
  readonly files: Readonly<Record<string, string>>;
  readonly containers: readonly object[];
  readonly volumes?: readonly object[];
  readonly strategy?: object;
}

/** The labels that the objects of one nested cluster share, on the Cluster itself too. */
const SHARED_LABELS: readonly string[] = [Labels.managed, Labels.server, Labels.repositoryId];
/** Any user but root: the programs only write to volumes. */
const USER = 65_532;
/** The volume with the files of configuration. */
export const CONFIG_VOLUME = 'config';

/** The labels that select the pods of one cluster with that label. */
export function podLabels(label: string, clusterUid: string): Readonly<Record<string, string>> {
  return { [label]: 'true', [Labels.clusterUid]: clusterUid };
}

/** Selects these pods. */
export function podSelection(namespace: string, label: string, clusterUid: string): Selection {
  const selected = Object.entries(podLabels(label, clusterUid));
  return { namespace, labelSelector: selected.map(([key, value]) => `${key}=${value}`).join(',') };
}

/** The metadata of an object on the host that belongs to a cluster, with that label. */
export function hostMetadata({ metadata }: Cluster, name: string, label: string): Metadata {
  const { namespace = '', uid = '' } = metadata;
  const shared = Object.entries(metadata.labels ?? {}).filter(([key]) => SHARED_LABELS.includes(key));
  const repository = metadata.annotations?.[Annotations.repository];
  return {
    name,
    namespace,
    labels: { ...Object.fromEntries(shared), [Labels.clusterName]: metadata.name, ...podLabels(label, uid) },
    ...(repository !== undefined && { annotations: { [Annotations.repository]: repository } }),
  };
}

/**
 * The Deployment of one pod that satisfies the restricted Pod Security Standard and has no token. Its configuration is in
 * annotations of the pod, so that there is one object, which changes as a whole.
 */
export function hostDeployment(
  cluster: Cluster,
  name: string,
  { label, files, containers, volumes = [], strategy }: HostPodParts,
): KubernetesObject & { readonly spec: object } {
  const metadata = hostMetadata(cluster, name, label);
  const key = (file: string): string => `knest-action/${file}`;
  const config = Object.entries(files).map(([file, text]) => [key(file), text] as const);
  const items = Object.keys(files).map((file) => ({
    path: file,
    fieldRef: { fieldPath: `metadata.annotations['${key(file)}']` },
  }));
  const { apiVersion, kind } = Kinds.deployment;
  return {
    apiVersion,
    kind,
    metadata,
    spec: {
      replicas: 1,
      ...(strategy !== undefined && { strategy }),
      selector: { matchLabels: podLabels(label, cluster.metadata.uid ?? '') },
      template: {
        metadata: { labels: metadata.labels ?? {}, annotations: Object.fromEntries(config) },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          // Kubernetes' own default is 30 s, for which a deletion would wait: connections may last for hours.
          terminationGracePeriodSeconds: 2,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: USER,
            runAsGroup: USER,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers,
          volumes: [{ name: CONFIG_VOLUME, downwardAPI: { items } }, ...volumes],
        },
      },
    },
  };
}

/** What every container of such a pod has. */
export const CONTAINER = {
  imagePullPolicy: 'IfNotPresent',
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  },
} as const;

/** The container of haproxy, which reads the file `haproxy.cfg`. */
export function haproxyContainer(image: string): object {
  return {
    ...CONTAINER,
    name: 'relay',
    image,
    command: ['haproxy', '-db', '-f', '/etc/relay/haproxy.cfg'],
    resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '128Mi' } },
    volumeMounts: [{ name: CONFIG_VOLUME, mountPath: '/etc/relay', readOnly: true }],
  };
}

/** The pod that serves: the newest, since one that is about to go may still be ready when the next one is. */
export function servingPod(pods: readonly Pod[]): Pod | undefined {
  const born = ({ metadata }: Pod): string => metadata.creationTimestamp ?? '';
  return pods.filter(isReady).toSorted((one, other) => born(other).localeCompare(born(one)))[0];
}

/** Whether a connection to the pod can work. */
export function isReady(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && conditionOf(pod, 'Ready')?.status === 'True';
}
