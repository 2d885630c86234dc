import { KnestError } from '../../errors.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { conditionOf, type KubernetesObject, type Pod } from '../../host/api/objects.ts';
import type { Selection } from '../../host/api/paths.ts';
import { Annotations, Labels } from '../identity/identity.ts';
import { relayConfig } from './relay-config.ts';

/** What the name of a relay has after that of its cluster. */
const RELAY_SUFFIX = '-relay';
const CONFIG = 'knest-action/haproxy.cfg';
/** Any user but root: the program reads one file and writes none. */
const USER = 65_532;

/** The labels that the objects of one nested cluster share, on the Cluster itself too. */
const SHARED_LABELS: readonly string[] = [Labels.managed, Labels.server, Labels.repositoryId];

/** The name of the Deployment of a cluster's relay. */
export function relayName(cluster: string): string {
  return `${cluster}${RELAY_SUFFIX}`;
}

/** Selects the pods of a cluster's relay, and none of an earlier cluster of that name. */
export function relayPods(namespace: string, clusterUid: string): Selection {
  return { namespace, labelSelector: `${Labels.relay}=true,${Labels.clusterUid}=${clusterUid}` };
}

/** Whether a connection to the pod can work. */
export function isReady(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && conditionOf(pod, 'Ready')?.status === 'True';
}

/**
 * The relay of a nested cluster: a pod on the host that passes TCP from its own 127.0.0.1, which port-forward alone
 * reaches, to the endpoint of the control plane. It satisfies the restricted Pod Security Standard and has no token. Its
 * configuration is an annotation of the pod, so that there is one object, which changes as a whole.
 * Throws KNEST_API_ACCESS while the Cluster has no endpoint.
 */
export function relayManifest(
  { metadata, spec }: Cluster,
  image: string,
): KubernetesObject & { readonly spec: object } {
  const { name, namespace = '', uid = '' } = metadata;
  const { host = '', port = 0 } = spec?.controlPlaneEndpoint ?? {};
  if (host === '' || port === 0)
    throw new KnestError({
      code: 'KNEST_API_ACCESS',
      problem: `Cluster ${namespace}/${name} has no controlPlaneEndpoint that a relay could connect to`,
      next: 'wait until its infrastructure is provisioned',
    });
  const shared = Object.entries(metadata.labels ?? {}).filter(([label]) => SHARED_LABELS.includes(label));
  const selected = { [Labels.relay]: 'true', [Labels.clusterUid]: uid };
  const labels = { ...Object.fromEntries(shared), [Labels.clusterName]: name, ...selected };
  const repository = metadata.annotations?.[Annotations.repository];
  const { apiVersion, kind } = Kinds.deployment;
  return {
    apiVersion,
    kind,
    metadata: {
      name: relayName(name),
      namespace,
      labels,
      ...(repository !== undefined && { annotations: { [Annotations.repository]: repository } }),
    },
    spec: {
      replicas: 1,
      selector: { matchLabels: selected },
      template: {
        metadata: { labels, annotations: { [CONFIG]: relayConfig(host, port) } },
        spec: podSpec(image),
      },
    },
  };
}

function podSpec(image: string): object {
  return {
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
    containers: [
      {
        name: 'relay',
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['haproxy', '-db', '-f', '/etc/relay/haproxy.cfg'],
        resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '128Mi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [{ name: 'config', mountPath: '/etc/relay', readOnly: true }],
      },
    ],
    volumes: [
      {
        name: 'config',
        downwardAPI: { items: [{ path: 'haproxy.cfg', fieldRef: { fieldPath: `metadata.annotations['${CONFIG}']` } }] },
      },
    ],
  };
}
