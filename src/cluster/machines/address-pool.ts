import { inputError, KnestError } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { IPPool } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import { unlessForbidden } from '../../host/api/api-error.ts';
import {
  countAddresses,
  formatRange,
  parseAddressRange,
  rangesOverlap,
  type AddressRange,
} from '../../values/address-range.ts';
import { overlaps, singleAddress, type Cidr } from '../../values/cidr.ts';
import { belongingTo, type ClusterHandle } from '../identity/cluster-handle.ts';

/**
 * The pool that the machines of a persistent cluster take their addresses from: it has the cluster's name, and so
 * belongs to no other. It does not name its cluster itself, since the IP address manager would then own it a second
 * time, in an older version of the API.
 */
export function addressPool(name: string, ranges: readonly AddressRange[]): KubernetesObject {
  const { apiVersion, kind } = Kinds.ipPool;
  const pools = ranges.map(({ first, last }) => ({ start: first, end: last }));
  return { apiVersion, kind, metadata: { name }, spec: { namePrefix: name, pools } } as KubernetesObject;
}

/** The addresses of a pool: a range or a subnet. */
function rangesOf({ spec }: IPPool): readonly AddressRange[] {
  return (spec?.pools ?? []).flatMap(({ start, end, subnet }) => {
    const text = start !== undefined && end !== undefined ? `${start}-${end}` : (subnet ?? start ?? '');
    const range = parseAddressRange(text);
    return 'first' in range ? [range] : [];
  });
}

/**
 * Throws KNEST_INPUT when a pool of another cluster of the host, as far as these credentials see them, has one of the
 * addresses too: both pools would assign the same addresses.
 */
export async function checkAddressesFree(
  client: KubernetesClient,
  { name, namespace }: ClusterHandle,
  ranges: readonly AddressRange[],
): Promise<void> {
  const pools = await unlessForbidden(client.list(Kinds.ipPool), []);
  const others = pools.filter(({ metadata }) => metadata.name !== name || metadata.namespace !== namespace);
  const clashes = others.flatMap((pool) =>
    rangesOf(pool).flatMap((taken) =>
      ranges
        .filter((range) => rangesOverlap(range, taken))
        .map((range) => {
          const owner = `IPPool ${pool.metadata.namespace ?? ''}/${pool.metadata.name}`;
          return `${formatRange(range)} overlaps ${formatRange(taken)} of ${owner}`;
        }),
    ),
  );
  if (clashes.length > 0) throw inputError([`persistent-machine-addresses: ${clashes.join('; ')}`]);
}

/**
 * Throws KNEST_INPUT when an address is outside the host's pod network, as far as that is known: the host's CNI cannot
 * give it to a machine, whose pod then waits for ever. `pods`: the ranges of the host's pods; none when they are not known.
 */
export function checkAddressesInPodNetwork(ranges: readonly AddressRange[], pods: readonly Cidr[]): void {
  const isInside = (address: string): boolean => {
    const single = singleAddress(address);
    return single !== undefined && pods.some((range) => overlaps(range, single));
  };
  const outside = ranges.filter(({ first, last }) => !(isInside(first) && isInside(last)));
  if (pods.length === 0 || outside.length === 0) return;
  const networks = pods.map(({ text }) => text).join(', ');
  throw inputError([
    `persistent-machine-addresses: ${outside.map(formatRange).join(', ')} is outside the host's pod network (${networks}), from which its CNI assigns addresses`,
  ]);
}

/** The pools of a cluster: none when it is not persistent. */
export async function poolsOf(client: KubernetesClient, cluster: ClusterHandle): Promise<readonly IPPool[]> {
  return unlessForbidden(client.list(Kinds.ipPool, belongingTo(cluster)), []);
}

/** Throws KNEST_ADDRESS_POOL when the pools of a cluster, if it has any, are too small for so many machines. */
export function checkAddressesSuffice(
  pools: readonly IPPool[],
  { name, namespace }: ClusterHandle,
  machines: number,
): void {
  const count = countAddresses(pools.flatMap(rangesOf));
  if (pools.length === 0 || count >= machines) return;
  const [pool] = pools;
  throw new KnestError({
    code: 'KNEST_ADDRESS_POOL',
    problem: `${name} cannot have ${machines} machines: its pool has ${count === 1 ? '1 address' : `${count} addresses`}`,
    evidence: pools.map(({ metadata, spec }) => `IPPool ${namespace}/${metadata.name}: ${JSON.stringify(spec?.pools)}`),
    next: `add addresses with kubectl edit ippool -n ${namespace} ${pool?.metadata.name ?? name}, or ask for fewer machines`,
  });
}
