/**
 * Does `work` for each item, at most `limit` at a time, and returns the results in the order of the items. After a
 * failure, nothing more is started, and it rejects once nothing is running any more: a caller that undoes it must
 * not have more done behind its back.
 */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const queue = [...items.entries()];
  const worker = async (): Promise<void> => {
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) results[next[0]] = await work(next[1]);
    } catch (thrown) {
      queue.length = 0;
      throw thrown;
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, worker));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results;
}

/**
 * Does several things at once, each until the signal that it is given aborts. The first failure aborts that signal for
 * all others; then it rejects once nothing is under way any more, with the failure that came first. When `signal` itself
 * aborts, a failure that explains more than the reason of the abort wins.
 */
export async function together(
  works: readonly ((stop: AbortSignal) => Promise<unknown>)[],
  signal: AbortSignal,
): Promise<void> {
  const failures: unknown[] = [];
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  await Promise.all(
    works.map(async (work) => {
      try {
        await work(stop);
      } catch (thrown) {
        failures.push(thrown);
        failed.abort(thrown);
      }
    }),
  );
  if (failures.length > 0) throw failures.find((failure) => failure !== signal.reason) ?? failures[0];
}
