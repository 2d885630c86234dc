import type { ConfigMap, KubernetesObject } from '../../host/api/objects.ts';

/** flannel's manifest with the pods of the cluster, encapsulated by VXLAN. Throws when it has no `net-conf.json`. */
export function withFlannelNetwork(objects: readonly KubernetesObject[], pods: string): readonly KubernetesObject[] {
  return withChanged<ConfigMap>(objects, 'ConfigMap', 'kube-flannel-cfg', (configMap) => {
    const network = JSON.parse(configMap.data?.['net-conf.json'] ?? '') as object;
    const changed = { ...network, Network: pods, Backend: { Type: 'vxlan' } };
    return { ...configMap, data: { ...configMap.data, 'net-conf.json': JSON.stringify(changed, null, 2) } };
  });
}

/**
 * Calico's manifest with the pods of the cluster as its pool. As it comes it encapsulates between subnets alone, and
 * machines in one subnet would send packets with addresses of pods, which the host drops. Throws when it has no node.
 */
export function withCalicoPool(objects: readonly KubernetesObject[], pods: string): readonly KubernetesObject[] {
  const pool = {
    CALICO_IPV4POOL_CIDR: pods,
    CALICO_IPV4POOL_VXLAN: 'Always',
    CALICO_IPV4POOL_IPIP: 'Never',
  };
  return withChanged<CalicoNode>(objects, 'DaemonSet', 'calico-node', (node) => {
    const { template } = node.spec;
    const containers = template.spec.containers.map((container) =>
      container.name === 'calico-node' ? { ...container, env: withVariables(container.env, pool) } : container,
    );
    return {
      ...node,
      spec: { ...node.spec, template: { ...template, spec: { ...template.spec, containers } } },
    };
  });
}

interface Variable {
  readonly name: string;
  readonly value?: string;
}

/** The DaemonSet as far as it is changed. */
interface CalicoNode extends KubernetesObject {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly name: string; readonly env: readonly Variable[] }[] };
    };
  };
}

function withVariables(env: readonly Variable[], values: Readonly<Record<string, string>>): readonly Variable[] {
  return [
    ...env.filter(({ name }) => !(name in values)),
    ...Object.entries(values).map(([name, value]) => ({ name, value })),
  ];
}

/** The objects with that one changed. A known manifest has it, by its checksum: without, the change is a defect. */
export function withChanged<T extends KubernetesObject>(
  objects: readonly KubernetesObject[],
  kind: string,
  name: string,
  change: (object: T) => T,
): readonly KubernetesObject[] {
  const isIt = (object: KubernetesObject): object is T => object.kind === kind && object.metadata.name === name;
  if (!objects.some(isIt)) throw new Error(`the manifest has no ${kind} ${name}`);
  return objects.map((object) => (isIt(object) ? change(object) : object));
}
