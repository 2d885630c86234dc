import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, ProxyAgent, type Dispatcher } from 'undici';
import { type Failure, firstLineOf, KnestError } from '../errors.ts';
import type { IdTokens } from './id-tokens.ts';

/** What a request needs of a kubeconfig. */
export interface Session {
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
}

/** Credentials are read anew this often, since tokens in files and from exec plugins rotate. Milliseconds. */
const LIFETIME = 60_000;

/** The way to one API server, with the credentials of the current context of a kubeconfig, or with tokens. */
export class Transport {
  readonly server: string;
  readonly #config: KubeConfig;
  readonly #tokens: IdTokens | undefined;
  #session: Promise<Session> | undefined;
  #expires = 0;
  /** Kept as long as the certificates are the same: each has connections of its own. */
  #dispatcher: { readonly key: string; readonly dispatcher: Dispatcher } | undefined;

  constructor(config: KubeConfig, tokens?: IdTokens) {
    this.#config = config;
    this.#tokens = tokens;
    this.server = config.getCurrentCluster()?.server.replace(/\/+$/, '') ?? '';
  }

  /** Credentials that are not older than a minute. Throws KNEST_HOST_CREDENTIALS when they cannot be had. */
  async session(): Promise<Session> {
    if (this.#session === undefined || Date.now() > this.#expires) {
      this.#expires = Date.now() + LIFETIME;
      this.#session = this.#authenticate();
    }
    const session = await this.#session;
    if (this.#tokens === undefined) return session;
    const headers = { ...session.headers, Authorization: bearer(await this.#tokens.token()) };
    return { ...session, headers };
  }

  /** Has the credentials read, or minted, anew before the next request: the server no longer takes these. */
  forget({ headers }: Session): void {
    this.#session = undefined;
    this.#tokens?.forget(headers['Authorization']?.slice(bearer('').length) ?? '');
  }

  /** What a person needs to know about credentials that the server refuses. */
  refused(): Pick<Failure, 'evidence' | 'next'> {
    if (this.#tokens === undefined) return { next: 'the credentials are wrong or expired: pass fresh ones' };
    return {
      evidence: [this.#tokens.describe()],
      next: "compare it with the server's AuthenticationConfiguration, see docs/oidc.md; its log has the reason",
    };
  }

  async #authenticate(): Promise<Session> {
    const options: RequestOptions = {};
    try {
      await this.#config.applyToHTTPSOptions(options);
    } catch (thrown) {
      this.#session = undefined;
      throw new KnestError({
        code: 'KNEST_HOST_CREDENTIALS',
        problem: `the credentials for ${this.server} cannot be used: ${firstLineOf(thrown)}`,
        next: 'check the user entry of the host kubeconfig and the files or commands that it names',
        cause: thrown,
      });
    }
    const basic = options.auth && { Authorization: `Basic ${Buffer.from(options.auth).toString('base64')}` };
    const headers = { ...(options.headers as Record<string, string> | undefined), ...basic };
    return { headers, dispatcher: this.#dispatcherFor(options) };
  }

  #dispatcherFor({ ca, cert, key, passphrase, pfx, servername, rejectUnauthorized }: RequestOptions): Dispatcher {
    const tls = Object.fromEntries(
      Object.entries({ ca, cert, key, passphrase, pfx, servername, rejectUnauthorized }).filter(
        ([, value]) => value !== undefined,
      ),
    );
    const cacheKey = JSON.stringify(tls);
    if (this.#dispatcher?.key !== cacheKey) {
      const dispatcher = makeDispatcher(tls, this.#config.getCurrentCluster()?.proxyUrl);
      this.#dispatcher = { key: cacheKey, dispatcher };
    }
    return this.#dispatcher.dispatcher;
  }
}

function bearer(token: string): string {
  return `Bearer ${token}`;
}

/**
 * Connections of our own, not the client library's: over HTTP/2, undici takes a watch in which nothing happens for an
 * idle connection, and ends the process with it.
 */
function makeDispatcher(tls: object, proxyUrl: string | undefined): Dispatcher {
  // A watch may be silent for long; every other request has a time-out of its own.
  const common = { allowH2: false, bodyTimeout: 0 };
  if (proxyUrl !== undefined) return new ProxyAgent({ ...common, uri: proxyUrl, requestTls: tls });
  return new Agent({ ...common, connect: { ...tls, keepAlive: true, keepAliveInitialDelay: 30_000 } });
}
