import { KnestError } from '../../errors.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import { Labels } from '../identity/identity.ts';
import { haproxyContainer, hostDeployment, podSelection, type HostPod } from './host-pod.ts';
import { RELAY_PORT, relayConfig } from './relay-config.ts';

/** What the name of a relay has after that of its cluster. */
const RELAY_SUFFIX = '-relay';

/** The name of the Deployment of a cluster's relay. */
export function relayName(cluster: string): string {
  return `${cluster}${RELAY_SUFFIX}`;
}

/** The relay of a cluster, to be waited for and connected to. */
export function relayPod(cluster: string, namespace: string, clusterUid: string): HostPod {
  return {
    namespace,
    name: relayName(cluster),
    pods: podSelection(namespace, Labels.relay, clusterUid),
    title: 'the relay of the tunnel',
    port: RELAY_PORT,
    code: 'KNEST_API_ACCESS',
    imageAdvice: 'set relay-image to an image of haproxy that the host can pull',
    alternative: 'use another api-access',
  };
}

/**
 * The relay of a nested cluster: a pod on the host that passes TCP from its own 127.0.0.1, which port-forward alone
 * reaches, to the endpoint of the control plane. Throws KNEST_API_ACCESS while the Cluster has no endpoint.
 */
export function relayManifest(cluster: Cluster, image: string): KubernetesObject & { readonly spec: object } {
  const { name, namespace = '' } = cluster.metadata;
  const { host = '', port = 0 } = cluster.spec?.controlPlaneEndpoint ?? {};
  if (host === '' || port === 0)
    throw new KnestError({
      code: 'KNEST_API_ACCESS',
      problem: `Cluster ${namespace}/${name} has no controlPlaneEndpoint that a relay could connect to`,
      next: 'wait until its infrastructure is provisioned',
    });
  return hostDeployment(cluster, relayName(name), {
    label: Labels.relay,
    files: { 'haproxy.cfg': relayConfig(host, port) },
    containers: [haproxyContainer(image)],
  });
}
