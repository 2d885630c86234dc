// Texts from the cluster or a pull request must become neither Markdown nor HTML of a page, nor end a part of it.

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

/** Lines as a block of code, each as it is. */
export function fenced(lines: readonly string[]): readonly string[] {
  return ['```text', ...lines.map((line) => line.replaceAll('```', "'''")), '```'];
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
