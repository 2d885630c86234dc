import { inputError } from '../../errors.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import type { HostNetworks } from '../../host/networks.ts';
import type { CreateInputs } from '../../inputs.ts';
import { firstFree, overlaps, type Cidr } from '../../values/cidr.ts';

/** The ranges of a nested cluster. */
export interface ClusterNetworks {
  readonly pods: Cidr;
  readonly services: Cidr;
}

/** What the nested cluster takes when nothing is asked for: the first pair of ranges that the host does not use. */
const POD_CANDIDATES = ['192.168.0.0/16', '10.95.0.0/16', '172.20.0.0/16', '10.195.0.0/16'] as const;
const SERVICE_CANDIDATES = ['10.96.0.0/16', '10.97.0.0/16', '172.21.0.0/16', '10.196.0.0/16'] as const;

/**
 * The nested cluster's ranges: those asked for, else the first that are free. Its machines are pods of the host and
 * its API is a Service of the host, so a range that the host uses would cut them off. A range that was asked for may be
 * one that is only assumed to be used: the user may know the host better.
 * Throws KNEST_INPUT for a range that overlaps, with one that would not.
 */
export function chooseNetworks(inputs: CreateInputs, host: HostNetworks): ClusterNetworks {
  const used = [...host.pods, ...host.services, ...host.nodes, ...host.assumed.pods, ...host.assumed.services];
  const pods = inputs.podNetworkCidr ?? firstFree(POD_CANDIDATES, [...used, ...present(inputs.serviceCidr)]);
  const services = inputs.serviceCidr ?? firstFree(SERVICE_CANDIDATES, [...used, ...present(pods)]);
  const evidence = [
    ...problems('pod-network-cidr', pods, host, POD_CANDIDATES, [...used, ...present(services)]),
    ...problems('service-cidr', services, host, SERVICE_CANDIDATES, [...used, ...present(pods)]),
  ];
  if (pods !== undefined && services !== undefined && evidence.length === 0) return { pods, services };
  throw inputError(evidence);
}

function problems(
  input: string,
  range: Cidr | undefined,
  host: HostNetworks,
  candidates: readonly string[],
  used: readonly Cidr[],
): readonly string[] {
  if (range === undefined)
    return [`${input}: none of ${candidates.join(', ')} is free on this host; choose one that is`];
  const clash = (whose: string, ranges: readonly Cidr[]): string | undefined => {
    const other = ranges.find((candidate) => overlaps(candidate, range));
    return other && `the host's ${whose} (${other.text})`;
  };
  const clashes = [
    clash('pods', host.pods),
    clash('services', host.services),
    clash('node addresses', host.nodes),
  ].filter((text) => text !== undefined);
  if (clashes.length === 0) return [];
  const free = firstFree(candidates, used);
  return [
    `${input}: ${range.text} overlaps ${clashes.join(' and ')}${free === undefined ? '' : `; for example ${free.text}`}`,
  ];
}

function present<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}

interface WithRanges extends KubernetesObject {
  readonly spec?: {
    readonly clusterNetwork?: Readonly<Record<string, unknown>>;
  };
}

/**
 * A Cluster with its ranges in lists, whatever its template makes of them: Cluster API's own templates have the whole
 * list for a variable (`cidrBlocks: ${POD_CIDR}`), the Virtink provider's an element of it, under the same names.
 */
export function withListedRanges(object: KubernetesObject): KubernetesObject {
  const { spec }: WithRanges = object;
  const { clusterNetwork } = spec ?? {};
  if (object.kind !== 'Cluster' || clusterNetwork === undefined) return object;
  const listed = Object.entries(clusterNetwork).map(
    ([of, ranges]) => [of, isBare(ranges) ? { ...ranges, cidrBlocks: [ranges.cidrBlocks] } : ranges] as const,
  );
  return { ...object, spec: { ...spec, clusterNetwork: Object.fromEntries(listed) } } as KubernetesObject;
}

function isBare(ranges: unknown): ranges is { readonly cidrBlocks: string } {
  return (
    typeof ranges === 'object' && ranges !== null && 'cidrBlocks' in ranges && typeof ranges.cidrBlocks === 'string'
  );
}
