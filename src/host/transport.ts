import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, ProxyAgent, type Dispatcher } from 'undici';
import { KnestError, messageOf } from '../errors.ts';

/** What a request needs of a kubeconfig. */
export interface Session {
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
}

/** Credentials are read anew this often, since tokens in files and from exec plugins rotate. Milliseconds. */
const LIFETIME = 60_000;

/** The way to one API server, with the credentials of the current context of a kubeconfig. */
export class Transport {
  readonly server: string;
  readonly #config: KubeConfig;
  #session: Promise<Session> | undefined;
  #expires = 0;
  /** Kept as long as the certificates are the same: each has connections of its own. */
  #dispatcher: { readonly key: string; readonly dispatcher: Dispatcher } | undefined;

  constructor(config: KubeConfig) {
    this.#config = config;
    this.server = config.getCurrentCluster()?.server.replace(/\/+$/, '') ?? '';
  }

  /** Credentials that are not older than a minute. Throws KNEST_HOST_CREDENTIALS when they cannot be had. */
  session(): Promise<Session> {
    if (this.#session === undefined || Date.now() > this.#expires) {
      this.#expires = Date.now() + LIFETIME;
      this.#session = this.#authenticate();
    }
    return this.#session;
  }

  /** Has the credentials read anew before the next request: the server no longer takes these. */
  forget(): void {
    this.#session = undefined;
  }

  async #authenticate(): Promise<Session> {
    const options: RequestOptions = {};
    try {
      await this.#config.applyToHTTPSOptions(options);
    } catch (thrown) {
      this.#session = undefined;
      throw new KnestError({
        code: 'KNEST_HOST_CREDENTIALS',
        problem: `the credentials for ${this.server} cannot be used: ${messageOf(thrown).split('\n')[0] ?? ''}`,
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
