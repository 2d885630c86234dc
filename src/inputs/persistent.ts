import {
  countAddresses,
  formatRange,
  isIPv6,
  parseAddressRange,
  rangesOverlap,
  type AddressRange,
} from '../values/address-range.ts';
import type { InputReader } from './reading/reader.ts';

/** The CNIs of a host by which a pod can ask for an address. */
export type HostClusterCni = 'calico' | 'kube-ovn';

/** A cluster whose machines keep disk and address: no job deletes it in the end. */
export interface PersistentInputs {
  readonly persistent: true;
  readonly ephemeral: false;
  /** What the machines take their addresses from: ranges that do not overlap, of one family, enough for all. */
  readonly machineAddresses: readonly AddressRange[];
  readonly hostClusterCni: HostClusterCni;
}

/** A cluster whose machines are gone with their pods. */
export interface NonPersistentInputs {
  readonly persistent: false;
  /** Whether the post step deletes it. */
  readonly ephemeral: boolean;
}

/** How long cluster and machines last. */
export type LifetimeInputs = PersistentInputs | NonPersistentInputs;

const ADDRESSES = 'persistent-machine-addresses';
const CNI = 'persistent-host-cluster-cni';

/** Reads whether the cluster and its machines are to last. `machines`: how many need an address. */
export function readLifetime(reader: InputReader, persistent: boolean, machines: number): LifetimeInputs {
  const ephemeral = reader.optional('ephemeral') === undefined ? !persistent : reader.boolean('ephemeral');
  if (!persistent) {
    for (const input of [ADDRESSES, CNI]) {
      if (reader.optional(input) !== undefined) reader.problem(input, 'is set, but persistent is not true');
    }
    return { persistent, ephemeral };
  }
  if (ephemeral) reader.problem('ephemeral', 'is true, but a persistent cluster stays until it is deleted');
  return {
    persistent,
    ephemeral: false,
    machineAddresses: readAddresses(reader, machines),
    hostClusterCni: reader.choice(CNI, ['calico', 'kube-ovn']),
  };
}

function readAddresses(reader: InputReader, machines: number): readonly AddressRange[] {
  const text = reader.required(ADDRESSES, 'for example 10.1.2.10-10.1.2.20, addresses that nothing else uses');
  const ranges: AddressRange[] = [];
  for (const part of text === '' ? [] : text.split(',')) {
    const range = parseAddressRange(part.trim());
    const problem = 'problem' in range ? range.problem : clash(range, ranges);
    if (problem !== undefined) {
      reader.problem(ADDRESSES, problem);
      return [];
    }
    if ('first' in range) ranges.push(range);
  }
  const count = countAddresses(ranges);
  if (text !== '' && count < machines) {
    const addresses = count === 1 ? '1 address' : `${count} addresses`;
    reader.problem(ADDRESSES, `${addresses} for ${machines} machines; each machine needs its own`);
  }
  return ranges;
}

/** Why a range does not go with those before it. */
function clash(range: AddressRange, others: readonly AddressRange[]): string | undefined {
  const other = others.find((candidate) => rangesOverlap(candidate, range));
  if (other !== undefined) return `${formatRange(range)} overlaps ${formatRange(other)}`;
  const [first] = others;
  return first !== undefined && isIPv6(first) !== isIPv6(range) ? 'mixes IPv4 and IPv6' : undefined;
}
