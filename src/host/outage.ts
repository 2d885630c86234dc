import { formatDuration } from '../values/duration.ts';

/** Milliseconds for which a server that has answered before may be away: an upgrade, a failover. */
const LONGEST = 180_000;
/** Milliseconds after an outage in which a server may refuse what it allows: it loads its rules after it listens. */
const SETTLING = 15_000;

/**
 * Whether a server is away that was there before. One for all requests to it: the first that meets an outage reports
 * it, and the first answer ends it.
 */
export class Outage {
  #wasReached: boolean;
  #since: number | undefined;
  #lastFailure = Number.NEGATIVE_INFINITY;

  /** `wasReached`: whether this job is known to have reached the server before. */
  constructor(wasReached: boolean) {
    this.#wasReached = wasReached;
  }

  /** Notes an answer of the server itself. */
  answered(report: (line: string) => void): void {
    this.#wasReached = true;
    if (this.#since === undefined) return;
    report(`the API server answers again after ${formatDuration((performance.now() - this.#since) / 1000)}`);
    this.#since = undefined;
  }

  /** Notes a request that got no answer. */
  failed(): void {
    this.#lastFailure = performance.now();
  }

  /** Whether a request is to be repeated that got no answer in all its usual tries. `problem`: what happened to it. */
  isWaitedFor(problem: string, report: (line: string) => void): boolean {
    if (!this.#wasReached) return false;
    const now = performance.now();
    if (this.#since === undefined) {
      report(`the API server no longer answers (${problem}); trying again for up to ${formatDuration(LONGEST / 1000)}`);
      this.#since = now;
    }
    return now - this.#since < LONGEST;
  }

  /** Whether the server may have come back just now. */
  get isSettling(): boolean {
    return this.#wasReached && performance.now() - this.#lastFailure < SETTLING;
  }
}
