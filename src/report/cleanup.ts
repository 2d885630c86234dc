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

/** The page of a clean-up: what became of each cluster, and a chart of the phases. */
export function cleanupPage(headline: string, rows: readonly CleanupRow[], timeline: Timeline): string {
  const cells = rows.map(({ name, namespace, result, reason }) => [{ code: `${namespace}/${name}` }, result, reason]);
  const table = markdownTable(['Cluster', 'Result', 'Reason'], cells);
  return [`### ${escape(headline)}`, '', ...table, ...(table.length > 0 ? [''] : []), ...gantt(timeline)].join('\n');
}
