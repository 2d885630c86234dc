import { escape, inlineCode } from './markdown.ts';
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

/** Rows of the table: GitHub takes no page above 1 MiB, and nobody reads more. */
const MOST_ROWS = 50;

/** The page of a clean-up: what became of each cluster, and a chart of the phases. */
export function cleanupPage(headline: string, rows: readonly CleanupRow[], timeline: Timeline): string {
  const shown = rows.slice(0, MOST_ROWS).map(({ name, namespace, result, reason }) => {
    return `| ${inlineCode(`${namespace}/${name}`)} | ${escape(result)} | ${escape(reason)} |`;
  });
  const more = rows.length - shown.length;
  return [
    `### ${escape(headline)}`,
    '',
    ...(rows.length === 0 ? [] : ['| Cluster | | Why |', '|---|---|---|', ...shown, '']),
    ...(more > 0 ? [`… and ${more} more, in the log.`, ''] : []),
    ...gantt(timeline),
  ].join('\n');
}
