import { startVitest } from 'vitest/node';
import { succeeds } from '../test/host/process.ts';
import { clearEvidence } from '../test/support/evidence.ts';
import { checks } from './checks.ts';
import { add, closingLine, emptyTally, isGreen, partLine, runParts, type Outcome, type Tally } from './parts.ts';

/** Vitest projects that run side by side, and what keeps them from running on this machine. */
interface Stage {
  readonly names: readonly string[];
  readonly obstacle: () => Promise<string | undefined>;
}

const none = (): Promise<undefined> => Promise.resolve(undefined);
const stages: readonly Stage[] = [
  { names: ['unit'], obstacle: none },
  { names: ['bundle'], obstacle: none },
  { names: ['e2e', 'e2e-besides'], obstacle: hostObstacle },
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
    let failedTests = 0;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') tally.passed++;
      else if (result.state === 'failed') failedTests++;
      else tally.skipped.push({ name: `${name}: ${test.fullName}`, reason: noteOf(result) ?? 'no reason given' });
    }
    // A file that cannot be read, or whose hooks fail, fails without a failed test.
    tally.failed += failedTests === 0 && module.state() === 'failed' ? 1 : failedTests;
  }
  const endedBadly = vitest.state.getUnhandledErrors().length > 0;
  if (tally.failed === 0 && (endedBadly || tally.passed + tally.skipped.length === 0)) tally.failed = 1;
  return tally;
}

function noteOf(result: object): string | undefined {
  return 'note' in result && typeof result.note === 'string' ? result.note : undefined;
}

/** Runs a project, or says why not, and writes the line that tells how it ended. */
async function tellProject(name: string, reason: string | undefined): Promise<Tally> {
  const began = performance.now();
  const tally = reason === undefined ? await runProject(name) : { ...emptyTally(), skipped: [{ name, reason }] };
  const outcome: Outcome =
    reason !== undefined
      ? { kind: 'skipped', reason }
      : tally.failed > 0
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
if (total.failed === 0 && (process.exitCode ?? 0) !== 0) total = add(total, { ...emptyTally(), failed: 1 });

console.log();
for (const line of lines) console.log(line);
for (const { name, reason } of total.skipped) console.log(`- skipped: ${name} (${reason})`);
console.log(closingLine(total));
process.exit(isGreen(total) ? 0 : 1);
