import { escape, markdownTable } from './markdown.ts';
import { gantt } from './summary.ts';
import type { Timeline } from './timeline.ts';

/** What became of one cluster, as the summary shows it. */
export interface CleanupRow {
  readonly name: string;
  readonly namespace: string;
  readonly result: string;
  /** Why. */
  readonly reason: string;
}

/** Leftovers that the page names: the summary has a limit, and the log has all. */
const MOST_LEFTOVERS = 50;

/** The page of a clean-up: what became of each cluster, what is left of others, and a chart of the phases. */
export function cleanupPage(
  headline: string,
  rows: readonly CleanupRow[],
  leftovers: readonly string[],
  timeline: Timeline,
): string {
  const cells = rows.map(({ name, namespace, result, reason }) => [{ code: `${namespace}/${name}` }, result, reason]);
  const table = markdownTable(['Cluster', 'Result', 'Reason'], cells);
  const shown = leftovers.slice(0, MOST_LEFTOVERS).map((line) => `- ${escape(line)}`);
  const more = leftovers.length - shown.length;
  const left =
    shown.length === 0
      ? []
      : ['Still there:', '', ...shown, ...(more > 0 ? [`- … and ${more} more: see the log.`] : []), ''];
  const body = [...table, ...(table.length > 0 ? [''] : []), ...left];
  return [`### ${escape(headline)}`, '', ...body, ...gantt(timeline)].join('\n');
}
