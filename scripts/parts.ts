import { stripVTControlCharacters } from 'node:util';
import { seconds } from '../test/host/report.ts';

/** How a part ended. */
export type Outcome =
  | { readonly kind: 'passed'; readonly detail?: string }
  | { readonly kind: 'failed'; readonly output: string }
  | { readonly kind: 'skipped'; readonly reason: string };

/** One thing to check, on its own. What it throws fails it. */
export interface Part {
  readonly name: string;
  readonly run: () => Promise<Outcome>;
}

/** Something that was skipped, and why. */
export interface Skip {
  readonly name: string;
  readonly reason: string;
}

/** Something that failed, and how. */
export interface Failure {
  readonly name: string;
  readonly message: string;
}

/** What came out of parts or tests. */
export interface Tally {
  passed: number;
  readonly failed: Failure[];
  readonly skipped: Skip[];
}

/** A tally of nothing yet. */
export function emptyTally(): Tally {
  return { passed: 0, failed: [], skipped: [] };
}

/** The first tally with the second added to it. */
export function add(one: Tally, other: Tally): Tally {
  return {
    passed: one.passed + other.passed,
    failed: [...one.failed, ...other.failed],
    skipped: [...one.skipped, ...other.skipped],
  };
}

/** The closing line: `N passed, N failed, N skipped`. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed.length} failed, ${skipped.length} skipped`;
}

/** Whether the tally makes a run green: nothing failed, and something ran. */
export function isGreen({ passed, failed }: Tally): boolean {
  return failed.length === 0 && passed > 0;
}

/** The line that tells how a part ended, followed by its output when it failed. */
export function partLine(name: string, outcome: Outcome, began: number): string {
  const mark = { passed: '✔', failed: '✖', skipped: '-' }[outcome.kind];
  const said =
    outcome.kind === 'skipped' ? `skipped: ${outcome.reason}` : outcome.kind === 'passed' ? (outcome.detail ?? '') : '';
  const line = `${mark} ${name.padEnd(18)} ${seconds(began).padStart(8)}   ${said}`.trimEnd();
  return outcome.kind === 'failed' ? `${line}\n${outcome.output.trimEnd().replace(/^/gm, '    ')}` : line;
}

/** Lines of a long message that are shown: so many of its beginning, and of its end. */
const SHOWN = { first: 3, last: 19, width: 300 };

/** What failed, with its message: the whole log of a job may be in it, of which the beginning and the end are shown. */
export function failureText({ name, message }: Failure): string {
  const lines = stripVTControlCharacters(message).trimEnd().split('\n');
  const { first, last, width } = SHOWN;
  const left = lines.length - first - last;
  const shown = left > 0 ? [...lines.slice(0, first), `… ${left} lines …`, ...lines.slice(-last)] : lines;
  const cut = shown.map((line) => `    ${line.length > width ? `${line.slice(0, width)}…` : line}`);
  return [`✖ ${name}`, ...cut].join('\n');
}

/** Runs parts, at most `width` at a time, and writes a line for each as it ends. */
export async function runParts(
  parts: readonly Part[],
  width: number,
  write: (line: string) => void = console.log,
): Promise<Tally> {
  const tally = emptyTally();
  const waiting = [...parts];
  const worker = async (): Promise<void> => {
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
      const began = performance.now();
      const outcome = await part
        .run()
        .catch((thrown: unknown): Outcome => ({ kind: 'failed', output: textOf(thrown) }));
      write(partLine(part.name, outcome, began));
      if (outcome.kind === 'skipped') tally.skipped.push({ name: part.name, reason: outcome.reason });
      else if (outcome.kind === 'failed') tally.failed.push({ name: part.name, message: outcome.output });
      else tally.passed++;
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return tally;
}

function textOf(thrown: unknown): string {
  // A command that failed knows all it wrote; its message has the end of that alone.
  if (thrown instanceof Error && 'output' in thrown && typeof thrown.output === 'string') return thrown.output;
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
