import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fetch, type Response } from 'undici';
import { KnestError, messageOf, type ErrorCode, type Failure } from '../errors.ts';
import { retry } from './retry.ts';
import type { Session, Transport } from './transport.ts';

/** One request to an API server. */
export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root of the server, with its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  /** Tries after the first; a create that is retried after a cut connection may meet its own object (409). */
  readonly retries?: number;
  /** Seconds until one try is given up. */
  readonly timeoutSeconds?: number;
}

/** What of an answer other than 2xx is told. */
interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly retryAfterMilliseconds: number | undefined;
}

/** An answer other than 2xx, with the API server's own reason. */
export class ApiError extends KnestError {
  readonly status: number;
  readonly reason: string;
  readonly retryAfterMilliseconds: number | undefined;

  constructor(request: string, answer: Answer, explanation: Pick<Failure, 'evidence' | 'next'>) {
    const { status, reason, message, retryAfterMilliseconds } = answer;
    super({ code: codeOf(answer), ...explanation, problem: `${request} was answered ${status} ${reason}: ${message}` });
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason;
    this.retryAfterMilliseconds = retryAfterMilliseconds;
  }
}

/**
 * How a 403 tells that a rule of the host forbids what is asked, whoever asks. Source: k8s.io/apiserver
 * pkg/admission/plugin (webhook/errors, policy/validating, resourcequota), k8s.io/pod-security-admission.
 */
const POLICY = /denied (the )?request|exceeded quota|violates PodSecurity/;
/** Source: k8s.io/apiserver pkg/admission/plugin/namespace/lifecycle. */
const TERMINATING = /because it is being terminated/;

function isPolicy({ status, message }: Pick<Answer, 'status' | 'message'>): boolean {
  return status === 403 && (POLICY.test(message) || TERMINATING.test(message));
}

function codeOf(answer: Answer): ErrorCode {
  switch (answer.status) {
    case 401:
      return 'KNEST_HOST_CREDENTIALS';
    case 403:
      return isPolicy(answer) ? 'KNEST_HOST_REQUEST' : 'KNEST_PERMISSION';
    default:
      return 'KNEST_HOST_REQUEST';
  }
}

/** Whether the thrown thing is the API server's answer with that status. */
export function hasStatus(thrown: unknown, status: number): thrown is ApiError {
  return thrown instanceof ApiError && thrown.status === status;
}

/** Something that notes each request, for debug logs; bodies never reach it. */
export type RequestObserver = (line: string) => void;

const RETRIES = 5;
/** How often the tries of a write are repeated whose webhook does not answer: for a minute, since it may just restart. */
const WEBHOOK_TRIES = 10;

/**
 * HTTP to one API server with the credentials of a kubeconfig. Connection resets, 429 and 5xx are retried, after
 * `Retry-After` when the server names it. A webhook of the host that does not answer is given more time than the server.
 */
export class RestClient {
  readonly server: string;
  /** The proxy on the way to the server; blank for none. May have a password. */
  readonly proxyUrl: string;
  /** Ends every request and every pause between two of them. */
  readonly signal: AbortSignal;
  readonly #transport: Transport;
  readonly #observe: RequestObserver;

  constructor(transport: Transport, signal: AbortSignal, observe: RequestObserver = () => undefined) {
    this.#transport = transport;
    this.signal = signal;
    this.#observe = observe;
    this.server = transport.server;
    this.proxyUrl = transport.proxyUrl;
  }

  /** The same server and credentials, until another signal aborts: what has to be said after a time-out needs one. */
  until(signal: AbortSignal): RestClient {
    return new RestClient(this.#transport, signal, this.#observe);
  }

  /** Sends a request and parses the JSON of its answer. Throws ApiError, or KNEST_HOST_* when nothing answers. */
  async json<T>(request: Request): Promise<T> {
    const text = await this.text(request);
    try {
      return JSON.parse(text) as T;
    } catch {
      // Without its cause: the parser quotes the text.
      throw noApi(this.server, `${request.method} ${request.path} was answered with something other than JSON`);
    }
  }

  /** The text of an answer, for the paths that speak no JSON, such as /readyz. */
  async text(request: Request): Promise<string> {
    const tries = (): Promise<string> =>
      retry(() => this.#once(request), {
        signal: this.signal,
        tries: 1 + (request.retries ?? RETRIES),
        isRetried: (thrown) => (thrown instanceof KnestError ? isTransient(thrown) : !isCertificateProblem(thrown)),
        askedPause: (thrown) => (thrown instanceof ApiError ? thrown.retryAfterMilliseconds : undefined),
      });
    try {
      return await retry(tries, { signal: this.signal, tries: WEBHOOK_TRIES, isRetried: isWebhookAway });
    } catch (thrown) {
      if (thrown instanceof KnestError) throw thrown;
      this.signal.throwIfAborted();
      throw unreachable(this.server, thrown);
    }
  }

  async #once(request: Request): Promise<string> {
    const timeout = AbortSignal.timeout((request.timeoutSeconds ?? 30) * 1000);
    const response = await this.#send(request, AbortSignal.any([timeout, this.signal]));
    // An answer that is cut in its middle is retried like one that never came.
    if (response.ok) return response.text();
    throw await this.#error(request, response);
  }

  /** Opens a stream of lines. Not retried: whoever watches knows from where to go on. */
  async stream(path: string, signal: AbortSignal): Promise<Response> {
    const request = { method: 'GET', path } as const;
    const response = await this.#send(request, AbortSignal.any([signal, this.signal]));
    if (!response.ok) throw await this.#error(request, response);
    return response;
  }

  /** Sends a request, and once more with new credentials when the server no longer takes those at hand. */
  async #send(request: Request, signal: AbortSignal): Promise<Response> {
    const session = await this.#transport.session();
    const response = await this.#fetch(request, session, signal);
    if (response.status !== 401) return response;
    await response.body?.cancel();
    this.#transport.forget(session);
    return this.#fetch(request, await this.#transport.session(), signal);
  }

  async #error({ method, path }: Request, response: Response): Promise<ApiError> {
    const answer = await answerOf(response);
    return new ApiError(`${method} ${path}`, answer, this.#explanationOf(answer));
  }

  #explanationOf(answer: Answer): Pick<Failure, 'evidence' | 'next'> {
    if (answer.status === 401) return this.#transport.refused();
    if (answer.status !== 403) return {};
    if (TERMINATING.test(answer.message)) return { next: 'wait until that namespace is gone, or use another' };
    return isPolicy(answer)
      ? { next: 'this is a rule of the host, whoever asks: change what it names, or have its administrator allow it' }
      : { next: 'give these credentials that permission: docs/rbac/ has all that are needed' };
  }

  async #fetch(request: Request, { headers, dispatcher }: Session, signal: AbortSignal): Promise<Response> {
    const started = performance.now();
    const response = await fetch(this.server + request.path, {
      method: request.method,
      headers: {
        ...headers,
        Accept: request.accept ?? 'application/json',
        'User-Agent': 'knest-action',
        ...(request.body !== undefined && { 'Content-Type': request.contentType ?? 'application/json' }),
      },
      ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
      // It would take the request, and what it asks for, to a place that nobody chose.
      redirect: 'manual',
      dispatcher,
      signal,
    });
    this.#observe(
      `${request.method} ${request.path} ${response.status} ${(performance.now() - started).toFixed(0)} ms`,
    );
    if (response.status < 300 || response.status > 399) return response;
    await response.body?.cancel();
    const target = originOf(response.headers.get('location'), this.server);
    throw noApi(this.server, `it redirects to ${target}, and redirects are never followed`);
  }
}

/** The lines of a stream; it is closed however the reading ends, since nobody would hear its errors later. */
export async function* linesOf(response: Response): AsyncGenerator<string> {
  if (response.body === null) return;
  const input = Readable.fromWeb(response.body);
  input.on('error', () => undefined);
  try {
    yield* createInterface({ input });
  } finally {
    input.destroy();
  }
}

/** Whether the server may well answer the same request differently soon. */
export function isTransient(thrown: unknown): boolean {
  // 500 is also what a webhook gives whose pods are not up yet.
  return thrown instanceof ApiError && [429, 500, 502, 503, 504].includes(thrown.status);
}

/**
 * Whether a webhook could not be called: its controller restarts, or is not up yet. Source: k8s.io/apiserver
 * pkg/admission/plugin/webhook/errors.
 */
function isWebhookAway(thrown: unknown): boolean {
  return hasStatus(thrown, 500) && thrown.message.includes('failed calling webhook');
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN) * 1000;
  let reason = response.statusText;
  let message = text.slice(0, 500);
  try {
    const status = JSON.parse(text) as { reason?: string; message?: string };
    reason = status.reason ?? reason;
    message = status.message ?? message;
  } catch {
    // Not a Status object: a proxy or a load balancer answered. Its text is the best there is.
  }
  const retryAfterMilliseconds = Number.isFinite(retryAfter) ? retryAfter : undefined;
  return { status: response.status, reason, message, retryAfterMilliseconds };
}

/** The origin alone: the rest of an address to log in at may be a secret. */
function originOf(location: string | null, base: string): string {
  return (location === null ? null : URL.parse(location, base)?.origin) ?? 'an unknown address';
}

/** The error for an answer that only something else than an API server gives, such as a gateway with a login page. */
function noApi(server: string, seen: string): KnestError {
  return new KnestError({
    code: 'KNEST_HOST_UNREACHABLE',
    problem: `no Kubernetes API answers at ${server}: ${seen}`,
    next: 'set the server in the kubeconfig to the address of the API server itself, without a login page in between',
  });
}

function unreachable(server: string, thrown: unknown): KnestError {
  // The runtime adds advice for its own command line, which nobody here has.
  const message = messageOf(causeOf(thrown)).replace(/; if the root CA is installed.*$/, '');
  return new KnestError({
    code: 'KNEST_HOST_UNREACHABLE',
    problem: `${server} does not answer: ${message}`,
    next: isCertificateProblem(thrown)
      ? 'check certificate-authority-data and the server name in the kubeconfig'
      : 'check that this runner can reach the address (network, firewall, HTTPS_PROXY and NO_PROXY)',
    cause: thrown,
  });
}

/** What is behind fetch's own "fetch failed". */
export function causeOf(thrown: unknown): unknown {
  return thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
}

/** No retry mends a certificate. */
function isCertificateProblem(thrown: unknown): boolean {
  return /certificate|self.signed|altnames/i.test(messageOf(causeOf(thrown)));
}
