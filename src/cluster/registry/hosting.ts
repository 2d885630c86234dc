import type { KubernetesObject } from '../../host/api/objects.ts';
import { registryHost } from './local-port.ts';

const HELP = 'https://github.com/knest/knest-action/blob/v1/docs/recipes/registry.md';

/**
 * The ConfigMap of a nested cluster by which tools find its registry. Source: KEP-1755, "Communicating a local registry".
 */
export function registryHosting(localPort: number): KubernetesObject {
  const host = registryHost(localPort);
  const lines = [`host: "${host}"`, `hostFromContainerRuntime: "${host}"`, `help: "${HELP}"`];
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'local-registry-hosting', namespace: 'kube-public' },
    data: { 'localRegistryHosting.v1': `${lines.join('\n')}\n` },
  } as KubernetesObject;
}
