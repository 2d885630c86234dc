import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { parse } from 'yaml';

const root = resolve(import.meta.dirname, '..');
const readme = resolve(root, 'README.md');

/** What action.yml says of one input or output. */
export interface Documented {
  readonly description: string;
  readonly default?: string;
}

/** The part of action.yml that people write against. */
export interface ActionFile {
  readonly inputs: Readonly<Record<string, Documented>>;
  readonly outputs: Readonly<Record<string, Documented>>;
}

/** Reads action.yml. */
export function readAction(): ActionFile {
  return parse(readFileSync(resolve(root, 'action.yml'), 'utf8')) as ActionFile;
}

/** The text with the tables of inputs and outputs between its markers made anew. Throws when a marker is missing. */
export function withTables(text: string, action: ActionFile): string {
  const inputs = Object.entries(action.inputs).map(([name, { description, default: preset = '' }]) => [
    `\`${name}\``,
    description,
    preset === '' ? '' : `\`${preset}\``,
  ]);
  const outputs = Object.entries(action.outputs).map(([name, { description }]) => [`\`${name}\``, description]);
  const filled = between(text, 'inputs', table(['Input', 'What it is', 'Default'], inputs));
  return between(filled, 'outputs', table(['Output', 'What it is'], outputs));
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function between(text: string, marker: string, content: string): string {
  const [open, close] = [`<!-- ${marker} -->`, `<!-- /${marker} -->`];
  const [start, end] = [text.indexOf(open), text.indexOf(close)];
  if (start < 0 || end < start) throw new Error(`README.md has no ${open} … ${close}`);
  return `${text.slice(0, start + open.length)}\n\n${content}\n\n${text.slice(end)}`;
}

async function fresh(): Promise<{ readonly before: string; readonly after: string }> {
  const before = readFileSync(readme, 'utf8');
  const after = await format(withTables(before, readAction()), {
    ...(await resolveConfig(readme)),
    parser: 'markdown',
  });
  return { before, after };
}

/** The names of the documents that are not what action.yml gives. */
export async function staleDocuments(): Promise<readonly string[]> {
  const { before, after } = await fresh();
  return before === after ? [] : ['README.md'];
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  if (!values.check) {
    writeFileSync(readme, (await fresh()).after);
  } else if ((await staleDocuments()).length > 0) {
    console.error('README.md is not what action.yml gives; run npm run docs');
    process.exitCode = 1;
  }
}
