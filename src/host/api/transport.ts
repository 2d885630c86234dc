import { isIP } from 'node:net';
import { checkServerIdentity, getCACertificates, type ConnectionOptions } from 'node:tls';
import { Agent, type Dispatcher } from 'undici';
import type { Failure } from '../../errors.ts';
import type { Authentication, Credentials } from '../credentials/authentication.ts';
import type { LoginCluster } from '../kubeconfig/login.ts';
import { Outage } from './outage.ts';
import { proxyDispatcher } from '../kubeconfig/proxy.ts';

/** What a request takes. */
export interface Session {
  /** Those that have one value. */
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
  readonly credentials: Credentials;
}

/** An API server, and how to authenticate to it. */
export interface TransportTarget {
  readonly cluster: LoginCluster;
  readonly authentication: Authentication;
}

/** The way to one API server, and the credentials for it. */
export class Transport {
  readonly server: string;
  /** Blank for none. */
  readonly proxyUrl: string;
  readonly outage: Outage;
  readonly #cluster: LoginCluster;
  readonly #authentication: Authentication;
  /** Kept as long as the certificate is the same: each agent has its own connections. */
  #dispatcher: { readonly certificate: string; readonly dispatcher: Dispatcher } | undefined;

  /** `wasReached`: whether this job is known to have reached the server before. */
  constructor({ cluster, authentication }: TransportTarget, wasReached = false) {
    this.outage = new Outage(wasReached);
    this.server = cluster.server;
    this.proxyUrl = cluster.proxyUrl;
    this.#cluster = cluster;
    this.#authentication = authentication;
  }

  /** The credentials for the next request. Throws KNEST_HOST_CREDENTIALS when they cannot be obtained. */
  async session(): Promise<Session> {
    const credentials = await this.#authentication.credentials();
    const { single, repeated } = split(credentials.headers);
    const dispatcher = this.#dispatcherFor(credentials);
    return {
      headers: single,
      dispatcher: Object.keys(repeated).length === 0 ? dispatcher : repeating(dispatcher, repeated),
      credentials,
    };
  }

  /** Has the credentials renewed before the next request: the server no longer accepts these. */
  forget({ credentials }: Session): void {
    this.#authentication.forget(credentials);
  }

  /** What a person needs to know about credentials that the server refuses. */
  refused(): Pick<Failure, 'evidence' | 'next'> {
    return this.#authentication.refused();
  }

  #dispatcherFor({ certificate, key }: Credentials): Dispatcher {
    if (this.#dispatcher?.certificate !== certificate) {
      this.#dispatcher = { certificate, dispatcher: makeDispatcher(this.#cluster, certificate, key) };
    }
    return this.#dispatcher.dispatcher;
  }
}

function split(headers: Credentials['headers']): {
  readonly single: Readonly<Record<string, string>>;
  readonly repeated: Readonly<Record<string, string[]>>;
} {
  const single: Record<string, string> = {};
  const repeated: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string') single[name] = value;
    else repeated[name] = value;
  }
  return { single, repeated };
}

/** Sends headers more than once, which fetch would join by commas. */
function repeating(dispatcher: Dispatcher, repeated: Readonly<Record<string, string[]>>): Dispatcher {
  return dispatcher.compose((dispatch) => (options, handler) => {
    const headers = { ...(options.headers as Readonly<Record<string, string>>), ...repeated };
    return dispatch({ ...options, headers }, handler);
  });
}

/**
 * Connections over HTTP/1.1 alone: over HTTP/2, undici takes a watch in which nothing happens for an idle connection,
 * and ends the process with it.
 */
function makeDispatcher(cluster: LoginCluster, certificate: string, key: string): Dispatcher {
  const { certificateAuthority, tlsServerName, insecureSkipTlsVerify, proxyUrl } = cluster;
  const tls = {
    ca: certificateAuthority === '' ? publicAuthorities() : certificateAuthority,
    // For Go every certificate among the authorities is one to trust, also one in the middle of a chain.
    allowPartialTrustChain: true,
    rejectUnauthorized: !insecureSkipTlsVerify,
    ...(tlsServerName !== '' && verifiedName(tlsServerName)),
    ...(certificate !== '' && { cert: certificate, key }),
  };
  // A watch may be silent for long; every other request has its own time-out.
  const options = {
    allowH2: false,
    bodyTimeout: 0,
    connect: { ...tls, keepAlive: true, keepAliveInitialDelay: 30_000 },
  };
  return proxyUrl === '' ? new Agent(options) : proxyDispatcher(proxyUrl, options);
}

/** Has a server's certificate verified by another name than its address. Only a name is also sent to it (RFC 6066). */
function verifiedName(name: string): Pick<ConnectionOptions, 'checkServerIdentity' | 'servername'> {
  if (isIP(name) === 0) return { servername: name };
  return { checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate) };
}

/** The authorities that Node brings along, and those that only the system knows. */
function publicAuthorities(): string[] {
  return [...getCACertificates('default'), ...getCACertificates('system')];
}
