import { KnestError } from '../../errors.ts';
import { formatDuration } from '../../values/duration.ts';

/**
 * Milliseconds after an outage in which a server may refuse what it allows: it loads its rules after it listens, those of
 * namespaces after those of the cluster.
 */
const SETTLING = 15_000;

/** Milliseconds after an outage in which a server may refuse even its version, which every account may read otherwise. */
const LOADING = 120_000;

/** What to do about an outage that does not end. */
export const OUTAGE_ADVICE =
  'check that the API server of the host runs and that this runner reaches it, then run the job again';

/**
 * Whether a server is away that was there before, as in an upgrade or a failover. One for all requests to it: the first
 * that meets an outage reports it, and the first answer ends it.
 */
export class Outage {
  #wasReached: boolean;
  #current: { readonly since: number; readonly problem: string } | undefined;
  #lastFailure = Number.NEGATIVE_INFINITY;
  #lastRefusal = Number.NEGATIVE_INFINITY;

  /** `wasReached`: whether this job is known to have reached the server before. */
  constructor(wasReached: boolean) {
    this.#wasReached = wasReached;
  }

  /** Notes an answer of the server itself. */
  answered(report: (line: string) => void): void {
    this.#wasReached = true;
    if (this.#current === undefined) return;
    report(`the API server answers again after ${ageOf(this.#current.since)}`);
    this.#current = undefined;
  }

  /** Notes a request that got no answer. */
  failed(): void {
    this.#lastFailure = performance.now();
  }

  /** Notes that the server refuses even its version: after an outage, it has not loaded its rules yet. */
  refusedVersion(): void {
    if (performance.now() - this.#lastFailure < LOADING) this.#lastRefusal = performance.now();
  }

  /** Notes an answer that something else gave in the place of the server, which may be away or not. */
  answeredByGateway(): void {
    if (this.#current !== undefined) this.failed();
  }

  /** Notes that the server is away. `problem`: what happened to a request. */
  begin(problem: string, report: (line: string) => void): void {
    this.failed();
    if (this.#current === undefined) report(`the API server no longer answers (${problem}); waiting for it`);
    this.#current ??= { since: performance.now(), problem };
  }

  /** Whether the server has answered before. */
  get wasReached(): boolean {
    return this.#wasReached;
  }

  /** The outage that has not ended, as evidence of an error; empty when there is none. */
  get evidence(): readonly string[] {
    if (this.#current === undefined) return [];
    const { since, problem } = this.#current;
    return [
      `the API server has not answered for ${ageOf(since)}: ${problem}; check the host and the network path to it`,
    ];
  }

  /** Whether the server was away until just now: it may not be itself again. */
  get isSettling(): boolean {
    const last = Math.max(this.#lastFailure, this.#lastRefusal);
    return this.#wasReached && performance.now() - last < SETTLING;
  }
}

/** A failure during an outage, with its evidence: a longer time-out helps only when the server comes back. */
export function withOutage(failure: KnestError, outage: readonly string[]): KnestError {
  const explained = failure.with(...outage);
  if (failure.code !== 'KNEST_TIMEOUT') return explained;
  const { code, problem, evidence, cause } = explained;
  return new KnestError({ code, problem, evidence, next: OUTAGE_ADVICE, cause });
}

function ageOf(since: number): string {
  return formatDuration((performance.now() - since) / 1000);
}
