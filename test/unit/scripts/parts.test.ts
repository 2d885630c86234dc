import { describe, expect, it } from 'vitest';
import { add, closingLine, emptyTally, isGreen, runParts, type Outcome, type Part } from '../../../scripts/parts.ts';
import { CommandError } from '../../host/process.ts';

const part = (name: string, run: () => Promise<Outcome>): Part => ({ name, run });
const passed = (): Promise<Outcome> => Promise.resolve({ kind: 'passed' });

describe('runParts', () => {
  it('counts how parts end, and tells each with all that a failed one wrote', async () => {
    const lines: string[] = [];
    const output = Array.from({ length: 40 }, (_, number) => `line ${number}`).join('\n');
    const parts = [
      part('good', () => Promise.resolve({ kind: 'passed', detail: '3 files' })),
      part('bad', () => Promise.resolve({ kind: 'failed', output: 'one\ntwo\n' })),
      part('broken', () => Promise.reject(new CommandError('eslint .', 1, output))),
      part('absent', () => Promise.resolve({ kind: 'skipped', reason: 'there is no Go' })),
    ];
    const tally = await runParts(parts, 1, (line) => lines.push(line));
    expect(tally).toEqual({ passed: 1, failed: 2, skipped: [{ name: 'absent', reason: 'there is no Go' }] });
    expect(lines[0]).toMatch(/^✔ good +\d+\.\d s {3}3 files$/);
    expect(lines[1]).toMatch(/^✖ bad +\d+\.\d s\n {4}one\n {4}two$/);
    expect(lines[2]).toContain('    line 0\n');
    expect(lines[2]).toContain('    line 39');
    expect(lines[3]).toMatch(/^- absent +\d+\.\d s {3}skipped: there is no Go$/);
  });

  it('runs no more side by side than it may', async () => {
    let running = 0;
    let most = 0;
    const slow = part('slow', async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
      return { kind: 'passed' };
    });
    expect((await runParts(Array<Part>(6).fill(slow), 2, () => undefined)).passed).toBe(6);
    expect(most).toBe(2);
  });
});

describe('a tally', () => {
  const skip = { name: 'e2e', reason: 'not root' };

  it('closes with one line', async () => {
    const tally = add(await runParts([part('a', passed)], 1, () => undefined), {
      passed: 2,
      failed: 3,
      skipped: [skip],
    });
    expect(closingLine(tally)).toBe('3 passed, 3 failed, 1 skipped');
  });

  it.each([
    [{ passed: 1, failed: 0, skipped: [skip] }, true],
    [{ passed: 1, failed: 1, skipped: [] }, false],
    // Nothing ran: that is no success.
    [{ ...emptyTally(), skipped: [skip] }, false],
  ])('%o is green: %s', (tally, green) => expect(isGreen(tally)).toBe(green));
});
