/** What is tried again, how often, and how long the pauses are. */
export interface RetryOptions {
  /** Ends the pauses: then the retry rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** Whether another try can help after this failure. */
  readonly isRetried: (thrown: unknown) => boolean | Promise<boolean>;
  /** All tries, the first one included. */
  readonly tries?: number;
  /** Milliseconds of the first pause; each further one is twice as long. */
  readonly firstPause?: number;
  /** Milliseconds of the pause that a server asked for with this failure; undefined when it asked for none. */
  readonly askedPause?: (thrown: unknown) => number | undefined;
}

/** All tries of what names no number: together with their pauses about six seconds. */
const TRIES = 6;
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 5_000;
/** A server cannot ask for a longer pause than this. Milliseconds. */
const LONGEST_ASKED_PAUSE = 60_000;

/**
 * Does `work`, and does it again after each failure that `isRetried`, with a pause before each further try. Rejects with
 * the last failure when the tries are used up. Every repetition in the action that a server can cause goes through here.
 */
export async function retry<T>(
  work: () => Promise<T>,
  { signal, isRetried, tries = TRIES, firstPause = FIRST_PAUSE, askedPause = () => undefined }: RetryOptions,
): Promise<T> {
  for (let failures = 0; ;) {
    try {
      return await work();
    } catch (thrown) {
      failures += 1;
      if (failures >= tries || !(await isRetried(thrown))) throw thrown;
      const asked = askedPause(thrown);
      await pause(
        asked === undefined ? pauseAfter(failures, firstPause) : Math.min(asked, LONGEST_ASKED_PAUSE),
        signal,
      );
    }
  }
}

/** Milliseconds to wait after so many failures in a row: exponential, at most 5 s, with jitter so that jobs spread out. */
export function pauseAfter(failures: number, firstPause = FIRST_PAUSE): number {
  return Math.min(LONGEST_PAUSE, firstPause * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
}

/** Waits, but not beyond an abort; rejects with the signal's reason then. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', stop, { once: true });
  });
}
