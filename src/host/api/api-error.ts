import type { Response } from 'undici';
import { KnestError, messageOf, type ErrorCode, type Failure } from '../../errors.ts';

/** An answer other than 2xx, as far as its error reports it. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly retryAfterMilliseconds: number | undefined;
}

/** An answer other than 2xx, with the API server's own reason. */
export class ApiError extends KnestError {
  readonly status: number;
  readonly reason: string;
  /** What the server said, without the request. */
  readonly answer: string;
  readonly retryAfterMilliseconds: number | undefined;

  constructor(request: string, answer: Answer, explanation: Pick<Failure, 'evidence' | 'next'>) {
    const { status, reason, message, retryAfterMilliseconds } = answer;
    super({ code: codeOf(answer), ...explanation, problem: `${request} failed with ${status} ${reason}: ${message}` });
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason;
    this.answer = message;
    this.retryAfterMilliseconds = retryAfterMilliseconds;
  }
}

/**
 * Messages of a 403 by which a policy of the host rejects a request of any user. Source: k8s.io/apiserver
 * pkg/admission/plugin (webhook/errors, policy/validating, resourcequota), k8s.io/pod-security-admission.
 */
const POLICY = /denied (the )?request|exceeded quota|violates PodSecurity/;
/** Message of a 403 for a namespace that is being deleted. Source: k8s.io/apiserver pkg/admission/plugin/namespace/lifecycle. */
const TERMINATING = /because it is being terminated/;

/** Whether a policy of the host rejects the request, whose user does not matter. */
export function isPolicy({ status, message }: Pick<Answer, 'status' | 'message'>): boolean {
  return status === 403 && (POLICY.test(message) || TERMINATING.test(message));
}

/** Whether the namespace of a request is being deleted. */
export function isTerminating({ message }: Pick<Answer, 'message'>): boolean {
  return TERMINATING.test(message);
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

/** Whether the server may well answer the same request differently soon. */
export function isTransient(thrown: unknown): boolean {
  // 500 is also what a webhook gives whose pods are not up yet.
  return thrown instanceof ApiError && [429, 500, 502, 503, 504].includes(thrown.status);
}

/**
 * Whether a webhook could not be called: its controller restarts, or is not up yet. Source: k8s.io/apiserver
 * pkg/admission/plugin/webhook/errors.
 */
export function isWebhookAway(thrown: unknown): boolean {
  return hasStatus(thrown, 500) && thrown.message.includes('failed calling webhook');
}

/** The content of an answer, from the API server or from something in front of it. */
export async function answerOf(response: Response): Promise<Answer> {
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
export function originOf(location: string | null, base: string): string {
  return (location === null ? null : URL.parse(location, base)?.origin) ?? 'an unknown address';
}

/** The error for an answer that only something else than an API server gives, such as a gateway with a login page. */
export function noApi(server: string, seen: string): KnestError {
  return new KnestError({
    code: 'KNEST_HOST_UNREACHABLE',
    problem: `no Kubernetes API answers at ${server}: ${seen}`,
    next: 'set the server in the kubeconfig to the address of the API server itself, without a login page in between',
  });
}

/** The error for a server that did not answer: `thrown` is what fetch rejected with. */
export function unreachable(server: string, thrown: unknown): KnestError {
  // The runtime adds advice for its own command line, which does not apply here.
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

/** Retrying does not fix a certificate. */
export function isCertificateProblem(thrown: unknown): boolean {
  return /certificate|self.signed|altnames/i.test(messageOf(causeOf(thrown)));
}

/** What may be forbidden without harm: an answer of 403 or 404 is the fallback. */
export async function unlessForbidden<T>(request: Promise<T>, fallback: T): Promise<T> {
  try {
    return await request;
  } catch (thrown) {
    if (thrown instanceof ApiError && (thrown.status === 403 || thrown.status === 404)) return fallback;
    throw thrown;
  }
}
