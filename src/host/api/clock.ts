import { KnestError } from '../../errors.ts';
import { formatDuration } from '../../values/duration.ts';
import type { KubernetesClient } from './client.ts';
import { retry } from '../../retry.ts';

/** Milliseconds by which the two clocks may differ. */
const TOLERANCE = 5 * 60_000;
/** The header `Date` has whole seconds: on average, half a second has passed since. */
const TRUNCATED = 500;

/**
 * Milliseconds by which the API server's clock is ahead of ours, negative when it is behind: its `Date` header, against
 * the middle of the request. Undefined when the answer has no such header. `now` in milliseconds since the epoch.
 */
export async function measureClock(
  client: KubernetesClient,
  signal: AbortSignal,
  now: () => number = Date.now,
): Promise<number | undefined> {
  const sent = now();
  // A stream, since it gives access to the headers, which come before the body.
  const response = await client.rest.stream('/version', signal);
  const received = now();
  await response.body?.cancel();
  const date = Date.parse(response.headers.get('date') ?? '');
  return Number.isNaN(date) ? undefined : date + TRUNCATED - (sent + received) / 2;
}

/** What the host's clock shows, as far as it can be measured. */
export interface HostTime {
  /** Milliseconds since the epoch: by this runner's clock where the host's cannot be read. */
  readonly time: number;
  /** Why the time is not certain; undefined when both clocks agree within five minutes. */
  readonly doubt: string | undefined;
}

/**
 * The time by the host's clock, by which cleanup decides as well: a runner whose clock is wrong must neither have its
 * cluster deleted at once nor kept for years. Rejects when the signal aborts.
 */
export async function hostTime(
  client: KubernetesClient,
  signal: AbortSignal,
  now: () => number = Date.now,
): Promise<HostTime> {
  const isRetried = (): boolean => !signal.aborted;
  const measured = retry(() => measureClock(client, signal, now), { signal, isRetried, tries: 3 });
  const ahead = await measured.catch(() => {
    signal.throwIfAborted();
    return undefined;
  });
  if (ahead !== undefined && Math.abs(ahead) <= TOLERANCE) return { time: now() + ahead, doubt: undefined };
  return { time: now() + (ahead ?? 0), doubt: differenceOf(ahead) };
}

/** How the clocks differ, for people. */
function differenceOf(ahead: number | undefined): string {
  if (ahead === undefined) {
    return "the clocks of this runner and the host cannot be compared: the API server's answer has no Date";
  }
  const direction = ahead > 0 ? 'ahead of' : 'behind';
  return `the host's clock is ${formatDuration(Math.abs(ahead) / 1000)} ${direction} this runner's`;
}

/**
 * The time, in milliseconds since the epoch, that both clocks have reached: what has expired by it has expired by
 * either. Throws KNEST_CLOCK_SKEW when they differ by more than five minutes, or cannot be compared: then it is unknown
 * what has expired.
 */
export async function agreedTime(
  client: KubernetesClient,
  signal: AbortSignal,
  now: () => number = Date.now,
): Promise<number> {
  const ahead = await measureClock(client, signal, now);
  if (ahead !== undefined && Math.abs(ahead) <= TOLERANCE) return now() + Math.min(0, ahead);
  throw new KnestError({
    code: 'KNEST_CLOCK_SKEW',
    problem: differenceOf(ahead),
    evidence: [`this runner: ${new Date(now()).toISOString()}`],
    next: 'correct the clock that is wrong (NTP); nothing was deleted, because expiry cannot be determined',
  });
}
