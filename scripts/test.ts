import { startVitest } from 'vitest/node';
import { succeeds } from '../test/host/process.ts';
import { clearEvidence } from '../test/support/evidence.ts';
import { checks } from './checks.ts';
import {
  add,
  closingLine,
  emptyTally,
  failureText,
  isGreen,
  partLine,
  runParts,
  type Failure,
  type Outcome,
  type Tally,
} from './parts.ts';

/** Vitest projects that run side by side, and what keeps them from running on this machine. */
interface Stage {
  readonly names: readonly string[];
  readonly obstacle: () => Promise<string | undefined>;
}

const none = (): Promise<undefined> => Promise.resolve(undefined);
const stages: readonly Stage[] = [
  { names: ['unit', 'bundle'], obstacle: none },
  { names: ['e2e', 'e2e-faults', 'e2e-access'], obstacle: hostObstacle },
  { names: ['secrets'], obstacle: none },
];

/** Why no host cluster can be started here; what it needs beyond this, it says itself. */
async function hostObstacle(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'a host cluster runs on Linux only';
  if (process.getuid?.() !== 0) return 'a host cluster needs root: run npm test with sudo';
  if (!(await succeeds('go', ['version']))) return 'a host cluster is built by Go, which is not on PATH';
  return undefined;
}

/** Runs one project of vitest.config.ts, told live. */
async function runProject(name: string): Promise<Tally> {
  const vitest = await startVitest('test', [], { run: true, project: [name] });
  const tally = emptyTally();
  for (const module of vitest.state.getTestModules()) {
    const failed: Failure[] = [];
    for (const test of module.children.allTests()) {
      const result = test.result();
      const testName = `${name}: ${test.fullName}`;
      if (result.state === 'passed') tally.passed++;
      else if (result.state === 'failed') failed.push({ name: testName, message: messageOf(result.errors) });
      else tally.skipped.push({ name: testName, reason: noteOf(result) ?? needOf(testName) ?? 'no reason given' });
    }
    // A file that cannot be read, or whose hooks fail, fails without a failed test.
    if (failed.length === 0 && module.state() === 'failed') {
      const errors = [module, ...module.children.allSuites()].flatMap((part) => part.errors());
      failed.push({ name: `${name}: ${module.relativeModuleId}`, message: messageOf(errors) });
    }
    tally.failed.push(...failed);
  }
  const unhandled = vitest.state.getUnhandledErrors();
  const ranNothing = tally.passed + tally.skipped.length === 0;
  if (tally.failed.length === 0 && (unhandled.length > 0 || ranNothing)) {
    tally.failed.push({ name, message: unhandled.length > 0 ? unhandled.map(String).join('\n') : 'no test ran' });
  }
  return tally;
}

function messageOf(errors: readonly { readonly message: string }[]): string {
  return errors.map(({ message }) => message).join('\n');
}

function noteOf(result: object): string | undefined {
  return 'note' in result && typeof result.note === 'string' ? result.note : undefined;
}

/** What a test needs, as the title of its group has it. */
function needOf(testName: string): string | undefined {
  return /\((needs? [^)]+)\)/.exec(testName)?.[1];
}

/** Runs a project, or says why not, and writes the line that tells how it ended. */
async function tellProject(name: string, reason: string | undefined): Promise<Tally> {
  const began = performance.now();
  const tally = reason === undefined ? await runProject(name) : { ...emptyTally(), skipped: [{ name, reason }] };
  const outcome: Outcome =
    reason !== undefined
      ? { kind: 'skipped', reason }
      : tally.failed.length > 0
        ? { kind: 'failed', output: closingLine(tally) }
        : { kind: 'passed', detail: closingLine(tally) };
  const line = partLine(name, outcome, began);
  lines.push(line);
  console.log(line);
  return tally;
}

clearEvidence();
const lines: string[] = [];
let total = await runParts(checks, 2);
for (const { names, obstacle } of stages) {
  const reason = await obstacle();
  const tallies = await Promise.all(names.map((name) => tellProject(name, reason)));
  total = tallies.reduce(add, total);
}
// Vitest sets it for what belongs to no test, such as a host that does not come up.
if (total.failed.length === 0 && (process.exitCode ?? 0) !== 0) {
  const failure = { name: 'vitest', message: 'it reports a failure that belongs to no test: see above' };
  total = add(total, { ...emptyTally(), failed: [failure] });
}

console.log();
for (const line of lines) console.log(line);
for (const failure of total.failed) console.log(failureText(failure));
for (const { name, reason } of total.skipped) console.log(`- skipped: ${name} (${reason})`);
console.log(closingLine(total));
process.exit(isGreen(total) ? 0 : 1);
