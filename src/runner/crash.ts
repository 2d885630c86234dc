import { toKnestError } from '../errors.ts';

/**
 * A signal that aborts, with a KnestError, when a promise is rejected that nothing awaits, or an error is thrown that
 * nothing catches. Node itself would end the process at once, children and Lease left behind, and print the source line,
 * which of a bundle is all of it.
 */
export function crashSignal(): AbortSignal {
  const crashed = new AbortController();
  for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
    process.on(event, (thrown: unknown) => crashed.abort(toKnestError(thrown)));
  }
  return crashed.signal;
}
