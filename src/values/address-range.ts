import ipaddr from 'ipaddr.js';
import { parseCidr } from './cidr.ts';

/** Addresses from the first to the last, both included. */
export interface AddressRange {
  readonly first: string;
  readonly last: string;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Parses an address, a range such as `10.1.2.10-10.1.2.20`, or a CIDR, which stands for the addresses that hosts may
 * have: without its first and, of IPv4, its last. Returns what is wrong with a text that is none of these.
 */
export function parseAddressRange(text: string): AddressRange | { readonly problem: string } {
  if (text.includes('/')) return hostsOf(text);
  const ends = text.split('-').map((end) => parseAddress(end.trim()));
  const [first, last] = [ends[0], ends.at(-1)];
  if (first === undefined || last === undefined || ends.length > 2) {
    return { problem: `"${text}" is not an address, range or CIDR; for example 10.1.2.10-10.1.2.20` };
  }
  if (first.kind() !== last.kind()) return { problem: `"${text}" mixes IPv4 and IPv6` };
  if (numberOf(first) > numberOf(last)) return { problem: `"${text}" ends before it begins` };
  return { first: first.toString(), last: last.toString() };
}

function parseAddress(text: string): Address | undefined {
  // Octal and shortened forms are addresses too, to inet_aton, and hardly ever meant.
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text) ? ipaddr.parse(text) : undefined;
}

function hostsOf(text: string): AddressRange | { readonly problem: string } {
  const cidr = parseCidr(text);
  if ('problem' in cidr) return cidr;
  const isIPv4 = cidr.address.kind() === 'ipv4';
  const hostBits = (isIPv4 ? 32 : 128) - cidr.prefixLength;
  const network = numberOf(cidr.address);
  const broadcast = network + (1n << BigInt(hostBits)) - 1n;
  // Two addresses are a point-to-point link, and both are usable (RFC 3021, RFC 6164).
  const isLink = hostBits < 2;
  return {
    first: addressOf(isLink ? network : network + 1n, isIPv4),
    last: addressOf(isLink || !isIPv4 ? broadcast : broadcast - 1n, isIPv4),
  };
}

function numberOf(address: Address): bigint {
  return address.toByteArray().reduce((number, byte) => number * 256n + BigInt(byte), 0n);
}

function addressOf(number: bigint, isIPv4: boolean): string {
  const length = isIPv4 ? 4 : 16;
  const bytes = Array.from({ length }, (_, index) => Number((number >> BigInt(8 * (length - 1 - index))) & 255n));
  return ipaddr.fromByteArray(bytes).toString();
}

/** Whether its addresses are IPv6. */
export function isIPv6({ first }: AddressRange): boolean {
  return ipaddr.IPv6.isValid(first);
}

/** How many addresses the ranges have together; they must not overlap. */
export function countAddresses(ranges: readonly AddressRange[]): number {
  const sizes = ranges.map(({ first, last }) => numberOf(ipaddr.parse(last)) - numberOf(ipaddr.parse(first)) + 1n);
  return Number(sizes.reduce((sum, size) => sum + size, 0n));
}

/** Whether two ranges share an address. */
export function rangesOverlap(one: AddressRange, other: AddressRange): boolean {
  if (isIPv6(one) !== isIPv6(other)) return false;
  const number = (text: string): bigint => numberOf(ipaddr.parse(text));
  return number(one.first) <= number(other.last) && number(other.first) <= number(one.last);
}

/** A range as people write it. */
export function formatRange({ first, last }: AddressRange): string {
  return first === last ? first : `${first}-${last}`;
}
