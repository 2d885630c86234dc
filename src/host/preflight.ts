import { KnestError } from '../errors.ts';
import { parseCidr, type Cidr } from '../values/cidr.ts';
import { parseYaml } from '../values/yaml.ts';
import type { KubernetesClient, ResourceAttributes } from './client.ts';
import { Kinds } from './kinds.ts';
import { ApiError } from './rest.ts';

/** A permission, what it is for, and the file of this repository that grants it. */
export interface Permission extends ResourceAttributes {
  readonly reason: string;
  readonly grantedBy: string;
}

/** The ranges of addresses that the host itself uses, as far as these credentials can see them. */
export interface HostNetworks {
  readonly pods: readonly Cidr[];
  readonly services: readonly Cidr[];
}

/**
 * Checks permissions by SelfSubjectAccessReview: one request for an administrator, else one for each.
 * Throws KNEST_PERMISSION with all that are missing.
 */
export async function checkPermissions(client: KubernetesClient, permissions: readonly Permission[]): Promise<void> {
  if (await client.isAllowed({ verb: '*', group: '*', resource: '*' })) return;
  const answers = await Promise.all(
    permissions.map(async (permission) => ({ permission, allowed: await client.isAllowed(permission) })),
  );
  const missing = answers.filter(({ allowed }) => !allowed).map(({ permission }) => permission);
  if (missing.length === 0) return;
  const files = [...new Set(missing.map(({ grantedBy }) => grantedBy))];
  throw new KnestError({
    code: 'KNEST_PERMISSION',
    problem: `these credentials lack ${missing.length === 1 ? '1 permission' : `${missing.length} permissions`} on the host`,
    evidence: missing.map(
      ({ verb, resource, group, namespace, reason }) =>
        `${verb} ${resource}${group === '' ? '' : `.${group}`}${namespace === undefined ? '' : ` in ${namespace}`}: ${reason}`,
    ),
    next: `have an administrator bind what ${files.join(' and ')} of knest-action grants to the account of these credentials`,
  });
}

/** Reads the host's own ranges from its nodes, its ServiceCIDRs and kubeadm's configuration: whichever can be read. */
export async function hostNetworks(client: KubernetesClient): Promise<HostNetworks> {
  const [nodes, serviceCidrs, kubeadm] = await Promise.all([
    unlessForbidden(client.list(Kinds.node), []),
    unlessForbidden(client.list(Kinds.serviceCidr), []),
    unlessForbidden(client.get(Kinds.configMap, 'kubeadm-config', 'kube-system'), undefined),
  ]);
  const { podSubnet, serviceSubnet } = kubeadmNetworking(kubeadm?.data?.['ClusterConfiguration']);
  // kubeadm's range holds those of all nodes, also of nodes to come.
  const pods = podSubnet ?? nodes.flatMap(({ spec }) => spec?.podCIDRs ?? [spec?.podCIDR ?? '']);
  const services = serviceSubnet ?? serviceCidrs.flatMap(({ spec }) => spec?.cidrs ?? []);
  return { pods: cidrs(pods), services: cidrs(services) };
}

/** What may be forbidden without harm: an answer of 403 or 404 is the fallback. */
export async function unlessForbidden<T>(request: Promise<T>, fallback: T): Promise<T> {
  try {
    return await request;
  } catch (thrown) {
    if (thrown instanceof ApiError && (thrown.status === 403 || thrown.status === 404)) return fallback;
    throw thrown;
  }
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
    return null; // Whoever broke it, the host's ranges are then not known.
  }
}

function cidrs(texts: readonly string[]): readonly Cidr[] {
  return texts.map((text) => parseCidr(text)).filter((cidr) => 'text' in cidr);
}

const IS_DEFAULT = 'storageclass.kubernetes.io/is-default-class';

/** Throws KNEST_STORAGE_CLASS when the host, as far as these credentials see it, has no default StorageClass. */
export async function checkDefaultStorageClass(client: KubernetesClient): Promise<void> {
  const classes = await unlessForbidden(client.list(Kinds.storageClass), undefined);
  if (classes === undefined) return;
  if (classes.some(({ metadata }) => metadata.annotations?.[IS_DEFAULT] === 'true')) return;
  const [first] = classes;
  const patch = JSON.stringify({ metadata: { annotations: { [IS_DEFAULT]: 'true' } } });
  throw new KnestError({
    code: 'KNEST_STORAGE_CLASS',
    problem: 'the host has no default StorageClass, which makes the disks of persistent machines',
    evidence: classes.map(
      ({ metadata, provisioner = '' }) => `StorageClass ${metadata.name} (${provisioner}) is not the default`,
    ),
    next:
      first === undefined
        ? 'install a storage provisioner on the host, with a StorageClass that is the default'
        : `make one the default, for example: kubectl patch storageclass ${first.metadata.name} -p '${patch}'`,
  });
}
