/** The https address of a host, which may be a name or an address, an IPv6 one with its brackets or without. */
export function httpsAddress(host: string, port: number | string): string {
  return `https://${withBrackets(host)}:${port}`;
}

/** The host of a URL as URLs have it: an IPv6 address with its brackets. */
export function withBrackets(host: string): string {
  const bare = withoutBrackets(host);
  return bare.includes(':') ? `[${bare}]` : bare;
}

/** The host of a URL as certificates and lists of hosts have it: an IPv6 address without its brackets. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
