import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { describePodProblem, podProblem } from '../../host/pods.ts';

const SYSTEM = 'kube-system';

/** The image that old machines pull as well, since kube-proxy moves with the control plane; undefined without kube-proxy. */
export async function kubeProxyImage(nested: KubernetesClient, version: string): Promise<string | undefined> {
  const daemonSet = await nested.get(Kinds.daemonSet, 'kube-proxy', SYSTEM);
  const image = daemonSet?.spec?.template?.spec?.containers?.[0]?.image;
  return image?.replace(/(:[^:/]*)?(@.*)?$/, `:${version}`);
}

/** Pods of kube-proxy whose node cannot get the image, a line each. */
export async function kubeProxyProblems(nested: KubernetesClient): Promise<readonly string[]> {
  const pods = await nested.list(Kinds.pod, { namespace: SYSTEM, labelSelector: 'k8s-app=kube-proxy' });
  return pods.flatMap((pod) => {
    const problem = podProblem(pod);
    if (problem?.kind !== 'image') return [];
    return [`on node ${pod.spec?.nodeName ?? ''}: ${describePodProblem(pod, problem)}`];
  });
}

/** The image of CoreDNS, which a control plane keeps unless its spec names another; undefined without CoreDNS. */
export async function coreDnsImage(nested: KubernetesClient): Promise<string | undefined> {
  const deployment = await nested.get(Kinds.deployment, 'coredns', SYSTEM);
  return deployment?.spec?.template?.spec?.containers?.[0]?.image;
}
