import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { fetch, type Response } from 'undici';
import { KnestError, messageOf, type Failure } from '../../errors.ts';
import {
  answerOf,
  ApiError,
  causeOf,
  hasStatus,
  isCertificateProblem,
  isPolicy,
  isTerminating,
  isTransient,
  isWebhookAway,
  noApi,
  originOf,
  unreachable,
  type Answer,
} from './api-error.ts';
import { retry } from '../../retry.ts';
import { withOutage } from './outage.ts';
import type { Request, RequestObserver } from './request.ts';
import type { Session, Transport } from './transport.ts';
import { upgrade, type Upgraded, type UpgradeRequest } from '../websocket/upgrade.ts';

/** Ignores everything. */
export const unobserved: RequestObserver = { request: () => undefined, outage: () => undefined };

const RETRIES = 5;
/** The statuses of a load balancer whose server is away. */
const GATEWAY: readonly number[] = [502, 503, 504];
/** Rounds of tries for a request that fails right after an outage, while others succeed. */
const ROUNDS_AFTER_OUTAGE = 3;
/** Milliseconds within which a healthy server answers. */
const VERSION_MILLISECONDS = 5_000;
/** Rounds of tries for a webhook that may be restarting: about a minute. */
const WEBHOOK_ROUNDS = 10;
/** Milliseconds during which a server that is too busy is tried again. */
const BUSY_MILLISECONDS = 60_000;

/**
 * HTTP to one API server with the credentials of a kubeconfig. Connection resets, 429 and 5xx are retried, after
 * `Retry-After` when the server names it. More time is given to a webhook of the host that does not answer, to a server
 * that is too busy (429), and to one that answered before and no longer does.
 */
export class RestClient {
  readonly server: string;
  /** The proxy on the way to the server; blank for none. May have a password. */
  readonly proxyUrl: string;
  /** Ends every request and every pause between two of them. */
  readonly signal: AbortSignal;
  readonly #transport: Transport;
  readonly #observe: RequestObserver;
  /** Whether requests are given more time than the usual tries take. */
  readonly #isPatient: boolean;

  constructor(transport: Transport, signal: AbortSignal, observe = unobserved, isPatient = true) {
    this.#isPatient = isPatient;
    this.#transport = transport;
    this.signal = signal;
    this.#observe = observe;
    this.server = transport.server;
    this.proxyUrl = transport.proxyUrl;
  }

  /** The same server and credentials, until another signal aborts, for requests after a timeout. */
  until(signal: AbortSignal): RestClient {
    return new RestClient(this.#transport, signal, this.#observe, this.#isPatient);
  }

  /** The same until that signal aborts, with the usual tries alone, for steps that have only seconds. */
  briefly(signal: AbortSignal): RestClient {
    return new RestClient(this.#transport, signal, this.#observe, false);
  }

  /** The outage of a server that answered before, as evidence; empty when there is none. */
  get outage(): readonly string[] {
    return this.#transport.outage.evidence;
  }

  /** Sends a request and parses the JSON of its answer. Throws ApiError, or KNEST_HOST_* when nothing answers. */
  async json<T>(request: Request): Promise<T> {
    const text = await this.text(request);
    try {
      return JSON.parse(text) as T;
    } catch {
      // Without its cause: the parser quotes the text.
      throw noApi(this.server, `${request.method} ${request.path} did not return JSON`);
    }
  }

  /** The text of an answer, for paths that do not return JSON, such as /readyz. */
  async text(request: Request): Promise<string> {
    const tries = (): Promise<string> =>
      retry(() => this.#once(request), {
        signal: this.signal,
        tries: 1 + (request.retries ?? RETRIES),
        isRetried: (thrown) => (thrown instanceof KnestError ? isTransient(thrown) : !isCertificateProblem(thrown)),
        askedPause: (thrown) => (thrown instanceof ApiError ? thrown.retryAfterMilliseconds : undefined),
      });
    const isPatient = this.#isPatient && request.retries === undefined;
    const busyUntil = performance.now() + BUSY_MILLISECONDS;
    const roundsOfTries = (): Promise<string> =>
      retry(tries, {
        signal: this.signal,
        tries: isPatient ? WEBHOOK_ROUNDS : 1,
        isRetried: (thrown) => isWebhookAway(thrown) || (hasStatus(thrown, 429) && performance.now() < busyUntil),
      });
    // Rounds of tries that may follow though the server answers: more once an outage was seen.
    const rounds = { left: 1 };
    try {
      return await retry(roundsOfTries, {
        signal: this.signal,
        tries: isPatient ? Number.POSITIVE_INFINITY : 1,
        isRetried: (thrown) => this.#isAway(thrown, rounds),
      });
    } catch (thrown) {
      const { reason } = this.signal as { readonly reason: unknown };
      if (reason instanceof KnestError && this.outage.length > 0) throw withOutage(reason, this.outage);
      if (thrown instanceof KnestError) throw thrown;
      this.signal.throwIfAborted();
      throw unreachable(this.server, thrown);
    }
  }

  /**
   * Whether a server that was there before is away, or was until now, so that waiting may help where the usual tries did
   * not. A server that answers another request is not away: one of its aggregated APIs may be. `rounds` counts those that
   * may follow then.
   */
  async #isAway(thrown: unknown, rounds: { left: number }): Promise<boolean> {
    const { outage } = this.#transport;
    const isEnded = (): boolean => this.signal.aborted;
    if (isEnded() || !outage.wasReached) return false;
    if (hasStatus(thrown, 401) || hasStatus(thrown, 403)) return this.#isSettling();
    const isGateway = thrown instanceof ApiError && GATEWAY.includes(thrown.status);
    if (!isGateway && (thrown instanceof KnestError || isCertificateProblem(thrown))) return false;
    const status = await this.#versionStatus();
    if (status !== undefined && !GATEWAY.includes(status)) return outage.isSettling && rounds.left-- > 0;
    if (isEnded()) return false;
    outage.begin(thrown instanceof ApiError ? thrown.problem : messageOf(causeOf(thrown)), this.#observe.outage);
    rounds.left = ROUNDS_AFTER_OUTAGE;
    return true;
  }

  /** Whether a refusal may be due to an outage: a server that refuses its version, too, has not loaded its rules yet. */
  async #isSettling(): Promise<boolean> {
    const { outage } = this.#transport;
    if (!outage.isSettling) return false;
    const status = await this.#versionStatus();
    if (status === 401 || status === 403) outage.refusedVersion();
    return !this.signal.aborted;
  }

  /** The status of an answer that any account gets; undefined when there is none in time. */
  async #versionStatus(): Promise<number | undefined> {
    const request = { method: 'GET', path: '/version' } as const;
    const signal = AbortSignal.any([AbortSignal.timeout(VERSION_MILLISECONDS), this.signal]);
    const response = await this.#send(request, signal).catch(() => undefined);
    await response?.body?.cancel();
    return response?.status;
  }

  async #once(request: Request): Promise<string> {
    const timeout = AbortSignal.timeout((request.timeoutSeconds ?? 30) * 1000);
    const response = await this.#send(request, AbortSignal.any([timeout, this.signal]));
    // An answer that is cut in its middle is retried like one that never came.
    if (response.ok) return response.text();
    throw await this.#error(request, response);
  }

  /** Opens a stream of lines. Not retried: the watch knows where to continue. */
  async stream(path: string, signal: AbortSignal): Promise<Response> {
    const request = { method: 'GET', path } as const;
    const response = await this.#send(request, AbortSignal.any([signal, this.signal]));
    if (!response.ok) throw await this.#error(request, response);
    return response;
  }

  /** Asks the server to speak another protocol on the connection of the request. Not retried. Throws as `json` does. */
  async upgrade(
    request: UpgradeRequest,
    signal: AbortSignal,
  ): Promise<{ readonly socket: Duplex; readonly headers: IncomingHttpHeaders }> {
    const until = AbortSignal.any([signal, this.signal]);
    const once = async (session: Session): Promise<Upgraded> =>
      upgrade(this.server, request, session, until).catch((thrown: unknown) => {
        this.signal.throwIfAborted();
        throw unreachable(this.server, thrown);
      });
    const answer = await this.#withSession(once, (one) => ('response' in one ? one.response : undefined));
    if ('socket' in answer) return answer;
    throw await this.#error({ method: 'GET', path: request.path }, answer.response);
  }

  async #send(request: Request, signal: AbortSignal): Promise<Response> {
    return this.#withSession(
      (session) => this.#fetch(request, session, signal),
      (response) => response,
    );
  }

  /** Asks the server, and once more with new credentials when it no longer accepts the current ones. */
  async #withSession<Answer>(
    ask: (session: Session) => Promise<Answer>,
    responseIn: (answer: Answer) => Response | undefined,
  ): Promise<Answer> {
    const session = await this.#transport.session();
    const answer = await ask(session);
    const response = responseIn(answer);
    if (response?.status !== 401) return answer;
    await response.body?.cancel();
    this.#transport.forget(session);
    return ask(await this.#transport.session());
  }

  async #error({ method, path }: Request, response: Response): Promise<ApiError> {
    const answer = await answerOf(response);
    return new ApiError(`${method} ${path}`, answer, this.#explanationOf(answer));
  }

  #explanationOf(answer: Answer): Pick<Failure, 'evidence' | 'next'> {
    if (answer.status === 401) return this.#transport.refused();
    if (answer.status !== 403) return {};
    if (isTerminating(answer)) return { next: 'wait until that namespace is gone, or use another' };
    return isPolicy(answer)
      ? {
          next: 'a policy of the host rejected this request; it is not a permission problem: change the field that the message names, or ask the administrator of the host to allow it',
        }
      : { next: 'grant these credentials that permission: docs/rbac/ has all that the action needs' };
  }

  async #fetch(request: Request, { headers, dispatcher }: Session, signal: AbortSignal): Promise<Response> {
    const started = performance.now();
    const { outage } = this.#transport;
    const response = await fetch(this.server + request.path, {
      method: request.method,
      headers: {
        ...headers,
        Accept: request.accept ?? 'application/json',
        'User-Agent': 'knest-action',
        ...(request.body !== undefined && { 'Content-Type': request.contentType ?? 'application/json' }),
      },
      ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
      // Following a redirect would send the request to a server that nobody configured.
      redirect: 'manual',
      dispatcher,
      signal,
    }).catch((thrown: unknown) => {
      // A request that the action ended itself is no sign of an outage; one that timed out is.
      const isOurs = this.signal.aborted || (signal.aborted && !isTimeUp(signal.reason));
      if (!isOurs) outage.failed();
      throw thrown;
    });
    if (GATEWAY.includes(response.status)) outage.answeredByGateway();
    else outage.answered(this.#observe.outage);
    this.#observe.request(
      `${request.method} ${request.path} ${response.status} ${(performance.now() - started).toFixed(0)} ms`,
    );
    if (response.status < 300 || response.status > 399) return response;
    await response.body?.cancel();
    const target = originOf(response.headers.get('location'), this.server);
    throw noApi(this.server, `it redirects to ${target}; the action does not follow redirects`);
  }
}

function isTimeUp(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError';
}
