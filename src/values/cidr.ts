import ipaddr from 'ipaddr.js';

/** A range of addresses. `text` is canonical: the host bits are zero. */
export interface Cidr {
  readonly text: string;
  readonly address: ipaddr.IPv4 | ipaddr.IPv6;
  readonly prefixLength: number;
}

/** Why a text is not a CIDR, and what would be right. */
export interface CidrProblem {
  readonly problem: string;
}

/** Parses `10.95.0.0/16`. Host bits that are set are a problem, not rounded away: the writer meant something else. */
export function parseCidr(text: string): Cidr | CidrProblem {
  // Octal, hexadecimal and shortened forms are addresses too, to inet_aton, and hardly ever meant.
  if (!(ipaddr.IPv4.isValidCIDRFourPartDecimal(text) || ipaddr.IPv6.isValidCIDR(text))) {
    return { problem: `"${text}" is not a CIDR; for example 10.95.0.0/16` };
  }
  const [address, prefixLength] = ipaddr.parseCIDR(text);
  const network =
    address.kind() === 'ipv4'
      ? ipaddr.IPv4.networkAddressFromCIDR(text).toString()
      : ipaddr.IPv6.networkAddressFromCIDR(text).toString();
  if (network !== address.toString()) {
    return { problem: `"${text}" has host bits set; the network is ${network}/${prefixLength}` };
  }
  return { text: `${network}/${prefixLength}`, address, prefixLength };
}

/** The range that has this address alone; undefined for what is not an address, a host name for example. */
export function singleAddress(text: string): Cidr | undefined {
  if (!(ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text))) return undefined;
  // A CIDR does not include the zone of a link-local address.
  const bare = text.replace(/%.*/, '');
  const cidr = parseCidr(`${bare}/${ipaddr.parse(bare).kind() === 'ipv4' ? 32 : 128}`);
  return 'text' in cidr ? cidr : undefined;
}

/** Whether two ranges share an address. Ranges of different families never do. */
export function overlaps(one: Cidr, other: Cidr): boolean {
  if (one.address.kind() !== other.address.kind()) return false;
  const [wide, narrow] = one.prefixLength <= other.prefixLength ? [one, other] : [other, one];
  return narrow.address.match(wide.address, wide.prefixLength);
}

/** The first of the candidates (CIDRs known to be good) that shares no address with any of the ranges in use. */
export function firstFree(candidates: readonly string[], inUse: readonly Cidr[]): Cidr | undefined {
  return candidates
    .map((candidate) => parseCidr(candidate))
    .filter((candidate) => 'text' in candidate)
    .find((candidate) => !inUse.some((range) => overlaps(candidate, range)));
}
