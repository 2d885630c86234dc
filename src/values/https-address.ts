/** The https address of a host, which may be a name or an address, an IPv6 one with its brackets or without. */
export function httpsAddress(host: string, port: number | string): string {
  const bare = withoutBrackets(host);
  return `https://${bare.includes(':') ? `[${bare}]` : bare}:${port}`;
}

/** The host of a URL as certificates and lists of hosts have it: an IPv6 address without its brackets. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
