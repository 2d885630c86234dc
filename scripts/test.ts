import { startVitest } from 'vitest/node';
import { succeeds } from '../test/host/process.ts';
import { clearEvidence } from '../test/support/evidence.ts';
import { checks } from './checks.ts';
import { add, closingLine, emptyTally, isGreen, partLine, runParts, type Outcome, type Tally } from './parts.ts';

/** A vitest project, and what keeps it from running on this machine. */
interface Project {
  readonly name: string;
  readonly obstacle: () => Promise<string | undefined>;
}

const none = (): Promise<undefined> => Promise.resolve(undefined);
const projects: readonly Project[] = [
  { name: 'unit', obstacle: none },
  { name: 'bundle', obstacle: none },
  { name: 'e2e', obstacle: hostObstacle },
  { name: 'secrets', obstacle: none },
];

/** Why no host cluster can be started here; what it needs beyond this, it says itself. */
async function hostObstacle(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'a host cluster runs on Linux only';
  if (process.getuid?.() !== 0) return 'a host cluster needs root: run npm test with sudo';
  if (!(await succeeds('go', ['version']))) return 'a host cluster is built by Go, which is not on PATH';
  return undefined;
}

/** Runs one project of vitest.config.ts, told live. Whatever vitest ends badly for counts as failed. */
async function runProject(name: string): Promise<Tally> {
  process.exitCode = 0;
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
  const endedBadly = vitest.state.getUnhandledErrors().length > 0 || process.exitCode !== 0;
  if (tally.failed === 0 && (endedBadly || tally.passed + tally.skipped.length === 0)) tally.failed = 1;
  return tally;
}

function noteOf(result: object): string | undefined {
  return 'note' in result && typeof result.note === 'string' ? result.note : undefined;
}

clearEvidence();
const lines: string[] = [];
let total = await runParts(checks, 2);
for (const { name, obstacle } of projects) {
  const began = performance.now();
  const reason = await obstacle();
  const tally = reason === undefined ? await runProject(name) : { ...emptyTally(), skipped: [{ name, reason }] };
  const outcome: Outcome =
    reason !== undefined
      ? { kind: 'skipped', reason }
      : tally.failed > 0
        ? { kind: 'failed', output: closingLine(tally) }
        : { kind: 'passed', detail: closingLine(tally) };
  lines.push(partLine(name, outcome, began));
  console.log(lines.at(-1));
  total = add(total, tally);
}

console.log();
for (const line of lines) console.log(line);
for (const { name, reason } of total.skipped) console.log(`- skipped: ${name} (${reason})`);
console.log(closingLine(total));
process.exit(isGreen(total) ? 0 : 1);
