import type { KubernetesClient } from './api/client.ts';
import { Kinds } from './api/kinds.ts';
import { unlessForbidden } from './api/api-error.ts';

/**
 * A line for a host whose Cilium translates the addresses of Services in the sockets of its pods alone, which the packets
 * of a virtual machine never pass: machines then reach neither their API server nor a registry. Undefined when the host
 * has no such Cilium, or does not show it. Source: cilium/cilium#17847, pkg/kpr/kpr.go.
 */
export async function describeSocketBalancer(client: KubernetesClient): Promise<string | undefined> {
  const config = await unlessForbidden(client.get(Kinds.configMap, 'cilium-config', 'kube-system'), undefined);
  const data = config?.data ?? {};
  const replacesKubeProxy = ['true', 'strict'].includes(data['kube-proxy-replacement'] ?? '');
  const isInPods = (replacesKubeProxy || data['bpf-lb-sock'] === 'true') && data['bpf-lb-sock-hostns-only'] !== 'true';
  return isInPods
    ? "the host's Cilium may keep machines from reaching Services: if workers do not join, set its Helm value socketLB.hostNamespaceOnly=true"
    : undefined;
}
