import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fetch, type Dispatcher, type Response } from 'undici';
import { KnestError, messageOf } from './errors.ts';
import { environmentDispatcher } from './host/kubeconfig/proxy.ts';
import { causeOf } from './host/api/api-error.ts';
import { retry } from './retry.ts';
import { shownAddress } from './values/url-credentials.ts';

/** A request for a file or for a document of the GitHub API. */
export interface WebRequest {
  /** Without a user and a password, which a message about it would show. */
  readonly url: string;
  /** Sent to the origin of `url` alone, also when that redirects elsewhere. */
  readonly authorization?: string | undefined;
  readonly accept?: string;
}

/** An answer other than 2xx. */
export class WebError extends Error {
  readonly status: number;
  /** Whether it is refused since there were too many requests; the GitHub API answers 403 or 429 then. */
  readonly isLimited: boolean;

  constructor({ status, statusText, headers }: Response) {
    super(`it returns ${status} ${statusText}`.trimEnd());
    this.status = status;
    const isTold = headers.get('x-ratelimit-remaining') === '0' || headers.has('retry-after');
    this.isLimited = status === 429 || (status === 403 && isTold);
  }
}

/** Milliseconds of silence until a try is given up: before the connection, before the answer, and within it. */
const PATIENCE = { connect: 10_000, headers: 30_000, body: 30_000 };
const TRIES = 3;
const FIRST_PAUSE = 1_000;
const REDIRECTS = 10;
const REDIRECT_STATUS = [301, 302, 303, 307, 308];

/** Sends GET requests by the proxies of the environment until a signal aborts. For everything but API servers. */
export class Web {
  /** Ends every request. */
  readonly signal: AbortSignal;
  readonly #dispatcher: Dispatcher;

  /** `dispatcher` sends the requests. */
  constructor(signal: AbortSignal, dispatcher: Dispatcher) {
    this.signal = signal;
    this.#dispatcher = dispatcher;
  }

  /** `env` names the proxies. */
  static by(env: NodeJS.ProcessEnv, signal: AbortSignal): Web {
    const options = { headersTimeout: PATIENCE.headers, bodyTimeout: PATIENCE.body };
    return new Web(signal, environmentDispatcher(env, { ...options, connect: { timeout: PATIENCE.connect } }));
  }

  /** The same, with a limit for each request that is sent from here. */
  within(milliseconds: number): Web {
    return new Web(AbortSignal.any([this.signal, AbortSignal.timeout(milliseconds)]), this.#dispatcher);
  }

  /** The text of a document. Rejects with a WebError, with what kept the answer from coming, or with the signal's reason. */
  async text(request: WebRequest): Promise<string> {
    return this.#patiently(async () => (await this.#get(request)).text());
  }

  /**
   * Writes a document to a file. Rejects as `text` does, and with an error of the file system. When the time of the
   * command is up, the reason has the progress of the download.
   */
  async download(request: WebRequest, file: string): Promise<void> {
    let written = 0;
    try {
      await this.#patiently(async () => {
        const { body } = await this.#get(request);
        const sink = createWriteStream(file, { mode: 0o600 });
        try {
          await pipeline(body === null ? Readable.from([]) : Readable.fromWeb(body), sink);
        } finally {
          written = sink.bytesWritten;
        }
      });
    } catch (thrown) {
      const { reason } = this.signal as { readonly reason: unknown };
      if (!(reason instanceof KnestError)) throw thrown;
      throw reason.with(`the download of ${shownAddress(request.url)} is incomplete: ${written} bytes received`);
    }
  }

  /** Tries again what may well succeed then: an answer that is cut or does not come, 429 and 5xx. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await retry(work, {
        signal: this.signal,
        tries: TRIES,
        firstPause: FIRST_PAUSE,
        isRetried: (thrown) => (thrown instanceof WebError ? isTransient(thrown) : isNetworkProblem(thrown)),
      });
    } catch (thrown) {
      this.signal.throwIfAborted();
      throw thrown;
    }
  }

  /** Follows redirects itself: the authorization is for one origin, and what is asked for by https stays on https. */
  async #get({ url, authorization, accept = '*/*' }: WebRequest): Promise<Response> {
    const { origin } = new URL(url);
    let next = new URL(url);
    for (let redirects = 0; redirects <= REDIRECTS; redirects++) {
      const response = await fetch(next, {
        headers: {
          Accept: accept,
          'User-Agent': 'knest-action',
          ...(next.origin === origin && authorization !== undefined && { Authorization: authorization }),
        },
        redirect: 'manual',
        dispatcher: this.#dispatcher,
        signal: this.signal,
      });
      if (response.ok) return response;
      await response.body?.cancel();
      const location = response.headers.get('location');
      if (location === null || !REDIRECT_STATUS.includes(response.status)) throw new WebError(response);
      next = redirected(next, location);
    }
    throw new Redirect(`it redirects more than ${REDIRECTS} times`);
  }
}

/** A redirect that is not followed. */
class Redirect extends Error {}

function redirected(from: URL, location: string): URL {
  const to = URL.parse(location, from.href);
  if (to?.protocol === 'https:' || (to?.protocol === 'http:' && from.protocol === 'http:')) return to;
  throw new Redirect(`it redirects to an address that is not https: ${to?.origin ?? 'it cannot be read'}`);
}

function isTransient({ status }: WebError): boolean {
  return status === 429 || status === 408 || status >= 500;
}

/** Whether a request failed on its way. fetch has a TypeError for that; a file that cannot be written has its own error. */
function isNetworkProblem(thrown: unknown): boolean {
  const { code = '' } = causeOf(thrown) as NodeJS.ErrnoException;
  return thrown instanceof TypeError || code.startsWith('UND_ERR_');
}

/** Why a request failed: the cause behind fetch's "fetch failed". */
export function describeWebProblem(thrown: unknown): string {
  return messageOf(causeOf(thrown));
}
