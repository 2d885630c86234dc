import { parseCidr, singleAddress, type Cidr } from '../values/cidr.ts';
import { parseYaml } from '../values/yaml.ts';
import type { KubernetesClient } from './api/client.ts';
import { Kinds } from './api/kinds.ts';
import type { Node } from './api/objects.ts';
import { hasStatus, unlessForbidden } from './api/api-error.ts';

/** The addresses that the host itself uses, as far as these credentials can see them. */
export interface HostNetworks {
  readonly pods: readonly Cidr[];
  readonly services: readonly Cidr[];
  /** The addresses of the nodes, each as a range. */
  readonly nodes: readonly Cidr[];
  /** What hosts usually use, in the place of what cannot be read. */
  readonly assumed: Assumed;
}

/** What is taken for used without anybody having seen it; empty where it was measured. */
export interface Assumed {
  readonly pods: readonly Cidr[];
  readonly services: readonly Cidr[];
}

/** The defaults of flannel and of most guides for kubeadm, of k3s and RKE2, and of Calico. */
const USUAL_PODS = ['10.244.0.0/16', '10.42.0.0/16', '192.168.0.0/16'];
/** The defaults of kubeadm (and, inside it, of kind), and of k3s and RKE2. */
const USUAL_SERVICES = ['10.96.0.0/12', '10.43.0.0/16'];

/**
 * Reads the host's own ranges from its nodes, its ServiceCIDRs and kubeadm's configuration: whichever can be read. What
 * cannot is assumed to be what installers make it.
 */
export async function hostNetworks(client: KubernetesClient, nodes: readonly Node[]): Promise<HostNetworks> {
  const [serviceCidrs, kubeadm] = await Promise.all([
    unlessForbidden(client.list(Kinds.serviceCidr), []),
    unlessForbidden(client.get(Kinds.configMap, 'kubeadm-config', 'kube-system'), undefined),
  ]);
  const { podSubnet, serviceSubnet } = kubeadmNetworking(kubeadm?.data?.['ClusterConfiguration']);
  // kubeadm's range holds those of all nodes, also of nodes to come.
  const pods = cidrs(podSubnet ?? nodes.flatMap(({ spec }) => spec?.podCIDRs ?? [spec?.podCIDR ?? '']));
  const services = cidrs(serviceSubnet ?? serviceCidrs.flatMap(({ spec }) => spec?.cidrs ?? []));
  const assumed = {
    pods: pods.length > 0 ? [] : cidrs(USUAL_PODS),
    services: services.length > 0 ? [] : cidrs(USUAL_SERVICES),
  };
  return { pods, services, nodes: nodes.flatMap(addressesOf), assumed };
}

/**
 * The ranges of the host's CNI: Calico and Kube-OVN may have more than the host's configuration names;
 * undefined when these credentials may not look.
 */
export async function cniNetworks(client: KubernetesClient): Promise<readonly Cidr[] | undefined> {
  try {
    const [pools, subnets] = await Promise.all([client.list(Kinds.calicoIpPool), client.list(Kinds.kubeOvnSubnet)]);
    return cidrs([
      ...pools.flatMap(({ spec }) => spec?.cidr ?? []),
      ...subnets.flatMap(({ spec }) => spec?.cidrBlock?.split(',') ?? []),
    ]);
  } catch (thrown) {
    if (hasStatus(thrown, 403)) return undefined;
    throw thrown;
  }
}

/** The addresses of a node: its names among them are none. */
function addressesOf({ status }: Node): readonly Cidr[] {
  const addresses = (status?.addresses ?? []).map(({ address }) => singleAddress(address));
  return addresses.filter((address) => address !== undefined);
}

/** What is assumed, for people; undefined when everything was read. */
export function describeAssumed({ pods, services }: Assumed): string | undefined {
  const parts = [
    ...(pods.length === 0 ? [] : [`pods (assuming ${texts(pods)})`]),
    ...(services.length === 0 ? [] : [`services (assuming ${texts(services)})`]),
  ];
  return parts.length === 0 ? undefined : `cannot read the ranges of the host's ${parts.join(' and ')}`;
}

function texts(ranges: readonly Cidr[]): string {
  return ranges.map(({ text }) => text).join(', ');
}

function kubeadmNetworking(text: string | undefined): {
  readonly podSubnet?: readonly string[];
  readonly serviceSubnet?: readonly string[];
} {
  const { podSubnet, serviceSubnet } = kubeadmConfiguration(text)?.networking ?? {};
  return {
    ...(podSubnet !== undefined && podSubnet !== '' && { podSubnet: podSubnet.split(',') }),
    ...(serviceSubnet !== undefined && serviceSubnet !== '' && { serviceSubnet: serviceSubnet.split(',') }),
  };
}

function kubeadmConfiguration(text: string | undefined): {
  readonly networking?: { readonly podSubnet?: string; readonly serviceSubnet?: string };
} | null {
  try {
    return parseYaml(text ?? '') as ReturnType<typeof kubeadmConfiguration>;
  } catch {
    return null; // Without it, the host's ranges are unknown.
  }
}

function cidrs(all: readonly string[]): readonly Cidr[] {
  return all.map((text) => parseCidr(text)).filter((cidr) => 'text' in cidr);
}
