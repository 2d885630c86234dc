import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { Agent, ProxyAgent, Socks5ProxyAgent, type buildConnector, type Dispatcher } from 'undici';
import { withoutBrackets } from '../../values/https-address.ts';
import { splitCredentials } from '../../values/url-credentials.ts';

/** Protocols of proxies that a kubeconfig may name. Source: client-go tools/clientcmd/helpers.go. */
const PROTOCOLS = ['http:', 'https:', 'socks5:'];
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** Options of connections to a server, whether there is a proxy on the way or not. */
export type ConnectionOptions = Omit<Agent.Options, 'connect'> & { readonly connect?: buildConnector.BuildOptions };

/** The hosts that an entry of NO_PROXY names. */
type Matcher = (host: string, port: string) => boolean;

/**
 * The proxy for an address, by HTTPS_PROXY, HTTP_PROXY and NO_PROXY (or in lower case) as kubectl and every other
 * program in Go reads them; blank for none. ALL_PROXY is not read, and a proxy that cannot be parsed is none.
 * Source: golang.org/x/net/http/httpproxy.
 */
export function proxyFor(address: string, env: NodeJS.ProcessEnv): string {
  const url = URL.parse(address);
  if (url === null) return '';
  const proxy = parsedProxy(variable(url.protocol === 'http:' ? 'HTTP_PROXY' : 'HTTPS_PROXY', env));
  return proxy === undefined || isDirect(url, variable('NO_PROXY', env)) ? '' : proxy;
}

/** Users and passwords in the proxies of the environment, in every form that could be shown. */
export function secretsOfProxies(env: NodeJS.ProcessEnv): readonly string[] {
  const proxies = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];
  return proxies.flatMap((name) => splitCredentials(withScheme(env[name] ?? '')).secrets);
}

/** Whether a proxy can be used: an address whose protocol is known. */
export function isProxyAddress(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && url.hostname !== '' && PROTOCOLS.includes(url.protocol);
}

/** Sends requests through a proxy. `options` are those of the connections to the server itself. */
export function proxyDispatcher(proxy: string, { connect, ...options }: ConnectionOptions): Dispatcher {
  // ProxyAgent would send a SOCKS proxy the user and password as they are encoded in the address.
  if (proxy.startsWith('socks5:')) return new Socks5ProxyAgent(proxy, { requestTls: connect ?? {} });
  return new ProxyAgent({ ...options, uri: proxy, requestTls: connect ?? {} });
}

/** Sends each request by the proxy that the environment names for its server, else directly. */
export function environmentDispatcher(env: NodeJS.ProcessEnv, options: ConnectionOptions): Dispatcher {
  const proxies = new Map<string, Dispatcher>();
  return new Agent(options).compose((direct) => (request, handler) => {
    const proxy = proxyFor(String(request.origin), env);
    if (proxy === '') return direct(request, handler);
    const dispatcher = proxies.get(proxy) ?? proxyDispatcher(proxy, options);
    proxies.set(proxy, dispatcher);
    return dispatcher.dispatch(request, handler);
  });
}

function variable(name: string, env: NodeJS.ProcessEnv): string {
  const upper = env[name] ?? '';
  return upper === '' ? (env[name.toLowerCase()] ?? '') : upper;
}

function parsedProxy(text: string): string | undefined {
  if (text === '') return undefined;
  // The environment may have socks5h, a kubeconfig may not; both leave the names to the proxy.
  const proxy = withScheme(text).replace(/^socks5h:/, 'socks5:');
  return isProxyAddress(proxy) ? proxy : undefined;
}

/** The address of a proxy, which may lack its scheme: `proxy.example:3128`. */
function withScheme(text: string): string {
  const url = URL.parse(text);
  return text === '' || (url !== null && url.host !== '') ? text : `http://${text}`;
}

function isDirect(url: URL, noProxy: string): boolean {
  const host = withoutBrackets(url.hostname);
  const port = url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? '') : url.port;
  if (host === 'localhost' || isLoopback(host)) return true;
  return noProxy.split(',').some((entry) => matcherOf(entry.trim().toLowerCase())(host, port));
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  return isIP(host) !== 0 && LOOPBACK.check(host, familyOf(host));
}

const NEVER: Matcher = () => false;

/** The hosts that an entry of NO_PROXY spares: `*`, a CIDR, an address or a domain, the last two with a port or without. */
function matcherOf(entry: string): Matcher {
  if (entry === '') return NEVER;
  if (entry === '*') return () => true;
  const range = rangeOf(entry);
  if (range !== undefined) return (host) => isIP(host) !== 0 && range.check(host, familyOf(host));
  const { host: wanted, port: wantedPort } = splitPort(entry);
  const isPort = (port: string): boolean => wantedPort === '' || wantedPort === port;
  if (wanted === '') return NEVER;
  if (isIP(wanted) !== 0 && !wanted.includes('%')) {
    const address = new BlockList();
    address.addAddress(wanted, familyOf(wanted));
    return (host, port) => isIP(host) !== 0 && address.check(host, familyOf(host)) && isPort(port);
  }
  // A domain includes those below it; one that begins with a dot or `*.` does not include itself.
  const domain = wanted.startsWith('*.') ? wanted.slice(1) : wanted;
  const suffix = domain.startsWith('.') ? ascii(domain) : ascii(`.${domain}`);
  const isMatch = (host: string): boolean =>
    host.endsWith(suffix) || (!domain.startsWith('.') && host === suffix.slice(1));
  return (host, port) => isIP(host) === 0 && isMatch(host) && isPort(port);
}

/** A domain as URLs have it; it stays as it is where it has no such form. */
function ascii(domain: string): string {
  const [first = '', ...labels] = domain.split('.');
  const converted = domainToASCII(labels.join('.'));
  return /^[\x20-\x7e]*$/.test(domain) || converted === '' ? domain : `${first}.${converted}`;
}

/** The range of a CIDR, whose host bits may be set; undefined when it is none. */
function rangeOf(entry: string): BlockList | undefined {
  const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? [];
  const version = isIP(address);
  if (version === 0 || address.includes('%') || Number(bits) > (version === 4 ? 32 : 128)) return undefined;
  const range = new BlockList();
  range.addSubnet(address, Number(bits), familyOf(address));
  return range;
}

/** Host and port of `host:port` or `[host]:port`; what is neither is a host as a whole. */
function splitPort(entry: string): { readonly host: string; readonly port: string } {
  const [, bracketed, plain, port] = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(entry) ?? [];
  const host = bracketed ?? plain;
  return host === undefined || port === undefined ? { host: entry, port: '' } : { host, port };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
