import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import type { RegistryRequest } from '../../inputs.ts';
import { Labels } from '../identity/identity.ts';
import {
  CONFIG_VOLUME,
  CONTAINER,
  haproxyContainer,
  hostDeployment,
  hostMetadata,
  podLabels,
  podSelection,
  type HostPod,
} from '../tunnel/host-pod.ts';
import { NODES_PORT, readerConfig, REGISTRY_PORT, registryConfig } from './registry-config.ts';

/** What the names of the objects of a registry have after that of its cluster. */
const REGISTRY_SUFFIX = '-registry';

/** The name of the Service, the Deployment and the NetworkPolicy of a cluster's registry. */
export function registryName(cluster: string): string {
  return `${cluster}${REGISTRY_SUFFIX}`;
}

/** The registry of a cluster, to be waited for and connected to. */
export function registryPod(cluster: string, namespace: string, clusterUid: string): HostPod {
  return {
    namespace,
    name: registryName(cluster),
    pods: podSelection(namespace, Labels.registry, clusterUid),
    title: 'the registry of the cluster',
    port: REGISTRY_PORT,
    code: 'KNEST_REGISTRY',
    imageAdvice:
      'set registry-image and relay-image to images of distribution and haproxy that the host can pull; a cluster that was kept has its old ones: delete it first',
    alternative: 'leave registry out',
  };
}

/** The Service by whose address the nodes read from the registry. */
export function registryService(cluster: Cluster): KubernetesObject {
  const { name, uid = '' } = cluster.metadata;
  const { apiVersion, kind } = Kinds.service;
  return {
    apiVersion,
    kind,
    metadata: hostMetadata(cluster, registryName(name), Labels.registry),
    spec: {
      type: 'ClusterIP',
      selector: podLabels(Labels.registry, uid),
      ports: [{ name: 'registry', port: NODES_PORT }],
    },
  } as KubernetesObject;
}

/**
 * The registry: one process on the 127.0.0.1 of its pod, since two over the same files would disagree, and a haproxy that
 * lets nodes read. What is stored counts as the pod's ephemeral storage: beyond its limit, the host evicts the pod.
 */
export function registryDeployment(
  cluster: Cluster,
  { image, size }: RegistryRequest,
  relayImage: string,
): KubernetesObject & { readonly spec: object } {
  const storage = { 'ephemeral-storage': size };
  return hostDeployment(cluster, registryName(cluster.metadata.name), {
    label: Labels.registry,
    // Never two pods, of which one would be empty.
    strategy: { type: 'Recreate' },
    files: {
      'registry.yml': registryConfig(cluster.metadata.uid ?? ''),
      'haproxy.cfg': readerConfig(),
    },
    containers: [
      {
        ...CONTAINER,
        name: 'registry',
        image,
        command: ['registry', 'serve', '/etc/registry/registry.yml'],
        // Some releases of distribution 3 send traces to a collector that is not there.
        env: [{ name: 'OTEL_TRACES_EXPORTER', value: 'none' }],
        resources: {
          requests: { cpu: '10m', memory: '64Mi', ...storage },
          limits: { memory: '512Mi', ...storage },
        },
        volumeMounts: [
          { name: CONFIG_VOLUME, mountPath: '/etc/registry', readOnly: true },
          { name: 'images', mountPath: '/var/lib/registry' },
        ],
      },
      {
        ...haproxyContainer(relayImage),
        env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
        readinessProbe: { httpGet: { path: '/v2/', port: NODES_PORT }, periodSeconds: 2 },
      },
    ],
    volumes: [{ name: 'images', emptyDir: { sizeLimit: size } }],
  });
}

/**
 * Lets nobody but the machines of the cluster read from the registry, on hosts that enforce such policies. Port-forward
 * enters the pod itself, and is not subject to them.
 */
export function registryPolicy(cluster: Cluster): KubernetesObject {
  const { name, uid = '' } = cluster.metadata;
  const { apiVersion, kind } = Kinds.networkPolicy;
  return {
    apiVersion,
    kind,
    metadata: hostMetadata(cluster, registryName(name), Labels.registry),
    spec: {
      podSelector: { matchLabels: podLabels(Labels.registry, uid) },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          from: [{ podSelector: { matchLabels: { [Labels.clusterName]: name } } }],
          ports: [{ port: NODES_PORT, protocol: 'TCP' }],
        },
      ],
    },
  } as KubernetesObject;
}
