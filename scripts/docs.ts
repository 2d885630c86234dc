import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { parse } from 'yaml';
import { NOT_GIVEN } from '../src/inputs/reader.ts';
import { rbacManifests } from './rbac.ts';

const root = resolve(import.meta.dirname, '..');

/** What action.yml says of one input or output. */
export interface Documented {
  readonly description: string;
  readonly default?: string;
}

/** The part of action.yml that people write against. */
export interface ActionFile {
  readonly runs: { readonly using: string };
  readonly inputs: Readonly<Record<string, Documented>>;
  readonly outputs: Readonly<Record<string, Documented>>;
}

/** Reads action.yml. */
export function readAction(): ActionFile {
  return parse(readFileSync(resolve(root, 'action.yml'), 'utf8')) as ActionFile;
}

/** The text with the tables of inputs and outputs between its markers made anew. Throws when a marker is missing. */
export function withTables(text: string, action: Pick<ActionFile, 'inputs' | 'outputs'>): string {
  const inputs = Object.entries(action.inputs).map(([name, { description, default: preset = '' }]) => [
    `\`${name}\``,
    description,
    describeDefault(preset),
  ]);
  const outputs = Object.entries(action.outputs).map(([name, { description }]) => [`\`${name}\``, description]);
  const filled = between(text, 'inputs', table(['Input', 'What it is', 'Default'], inputs));
  return between(filled, 'outputs', table(['Output', 'What it is'], outputs));
}

/** The cell of a default; of one that only says that nothing is given, in words. */
function describeDefault(preset: string): string {
  if (preset === NOT_GIVEN) return 'not given';
  return preset === '' ? '' : `\`${preset}\``;
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

/** Every document that is made, wholly or in part, with what it should hold. */
async function fresh(): Promise<ReadonlyMap<string, string>> {
  const tables = withTables(readFileSync(resolve(root, 'README.md'), 'utf8'), readAction());
  const documents = [
    ['README.md', tables],
    ...Object.entries(rbacManifests()).map(([name, text]) => [`docs/rbac/${name}`, text] as const),
  ] as const;
  const formatted = documents.map(async ([name, text]) => {
    const filepath = resolve(root, name);
    return [name, await format(text, { ...(await resolveConfig(filepath)), filepath })] as const;
  });
  return new Map(await Promise.all(formatted));
}

/** The names of the documents that are not what they are made from. */
export async function staleDocuments(): Promise<readonly string[]> {
  const isStale = ([name, text]: readonly [string, string]): boolean => {
    const path = resolve(root, name);
    return !existsSync(path) || readFileSync(path, 'utf8') !== text;
  };
  return [...(await fresh())].filter(isStale).map(([name]) => name);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  if (!values.check) {
    for (const [name, text] of await fresh()) {
      mkdirSync(dirname(resolve(root, name)), { recursive: true });
      writeFileSync(resolve(root, name), text);
    }
  } else {
    const stale = await staleDocuments();
    if (stale.length > 0) {
      console.error(`${stale.join(', ')}: not what action.yml and src give; run npm run docs`);
      process.exitCode = 1;
    }
  }
}
