import { oneLine, visible } from './safe-text.ts';

// Texts from the cluster or a pull request must become neither Markdown nor HTML of a page, nor end a part of it.

/** The most bytes of a table or a block: GitHub takes at most 1 MiB of a step, which can have two of each. */
const PART_LIMIT = 200 * 1024;

/**
 * A text as code within a line, also in a table: there a bar ends the cell, unless a backslash is before it, and that
 * backslash has none before it. So a blank keeps those of the text apart from ours.
 */
export function inlineCode(text: string): string {
  const code = oneLine(text).replaceAll('`', "'").replaceAll('\\|', '\\ |').replaceAll('|', '\\|');
  return `\`${code}\``;
}

/** A text as words within a line. Escaped is what GitHub's flavour gives a meaning to, formulas included. */
export function escape(text: string): string {
  return oneLine(text).replace(/[\\`*_{}[\]<>#|~$&]/g, '\\$&');
}

/** Lines as a block of code, each as it is; those that do not fit into `limit` bytes are counted below it. */
export function fenced(lines: readonly string[], limit = PART_LIMIT): readonly string[] {
  const { shown, left } = fitting(
    lines.map((line) => visible(line).replaceAll('```', "'''")),
    limit,
  );
  return ['```text', ...shown, '```', ...more(left, 'line')];
}

/** A cell of a table: words, or code that can be copied. */
export type Cell = string | { readonly code: string };

/**
 * Rows under a header as a table in which no text is Markdown or HTML; nothing without rows. Rows that do not fit into
 * `limit` bytes are counted below it.
 */
export function markdownTable(
  header: readonly Cell[],
  rows: readonly (readonly Cell[])[],
  limit = PART_LIMIT,
): readonly string[] {
  if (rows.length === 0) return [];
  const row = (cells: readonly Cell[]): string =>
    `| ${cells.map((cell) => (typeof cell === 'string' ? escape(cell) : inlineCode(cell.code))).join(' | ')} |`;
  const { shown, left } = fitting(rows.map(row), limit);
  return [row(header), `|${' --- |'.repeat(header.length)}`, ...shown, ...more(left, 'row')];
}

/** The first of the lines, as many as fit into that many bytes, and how many are left. */
function fitting(
  lines: readonly string[],
  limit: number,
): { readonly shown: readonly string[]; readonly left: number } {
  const shown: string[] = [];
  let room = limit;
  for (const line of lines) {
    room -= Buffer.byteLength(line) + 1;
    if (room < 0) break;
    shown.push(line);
  }
  return { shown, left: lines.length - shown.length };
}

function more(count: number, what: string): readonly string[] {
  return count === 0 ? [] : ['', `… and ${count} more ${what}${count === 1 ? '' : 's'}: see the log.`];
}
