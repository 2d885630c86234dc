import { describe, expect, it } from 'vitest';
import {
  add,
  closingLine,
  emptyTally,
  failureText,
  isGreen,
  runParts,
  type Outcome,
  type Part,
} from '../../../scripts/parts.ts';
import { CommandError } from '../../host/process.ts';

const part = (name: string, run: () => Promise<Outcome>): Part => ({ name, run });
const passed = (): Promise<Outcome> => Promise.resolve({ kind: 'passed' });

describe('runParts', () => {
  it('counts the results of parts, and writes the full output of a failed one', async () => {
    const lines: string[] = [];
    const output = Array.from({ length: 40 }, (_, number) => `line ${number}`).join('\n');
    const parts = [
      part('good', () => Promise.resolve({ kind: 'passed', detail: '3 files' })),
      part('bad', () => Promise.resolve({ kind: 'failed', output: 'one\ntwo\n' })),
      part('broken', () => Promise.reject(new CommandError('eslint .', 1, output))),
      part('absent', () => Promise.resolve({ kind: 'skipped', reason: 'there is no Go' })),
    ];
    const tally = await runParts(parts, 1, (line) => lines.push(line));
    expect(tally).toEqual({
      passed: 1,
      failed: [
        { name: 'bad', message: 'one\ntwo\n' },
        { name: 'broken', message: output },
      ],
      skipped: [{ name: 'absent', reason: 'there is no Go' }],
    });
    expect(lines[0]).toMatch(/^✔ good +\d+\.\d s {3}3 files$/);
    expect(lines[1]).toMatch(/^✖ bad +\d+\.\d s\n {4}one\n {4}two$/);
    expect(lines[2]).toContain('    line 0\n');
    expect(lines[2]).toContain('    line 39');
    expect(lines[3]).toMatch(/^- absent +\d+\.\d s {3}skipped: there is no Go$/);
  });

  it('runs no more parts at once than allowed', async () => {
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
  const failure = { name: 'unit', message: 'expected 1 to be 2' };

  it('ends with one line', async () => {
    const tally = add(await runParts([part('a', passed)], 1, () => undefined), {
      passed: 2,
      failed: [failure, failure, failure],
      skipped: [skip],
    });
    expect(closingLine(tally)).toBe('3 passed, 3 failed, 1 skipped');
  });

  it.each([
    [{ passed: 1, failed: [], skipped: [skip] }, true],
    [{ passed: 1, failed: [failure], skipped: [] }, false],
    // Nothing ran, which does not count as success.
    [{ ...emptyTally(), skipped: [skip] }, false],
  ])('%o is green: %s', (tally, green) => expect(isGreen(tally)).toBe(green));
});

describe('failureText', () => {
  it('names the failed test, and shows a short message in full', () => {
    expect(failureText({ name: 'unit: adds', message: '\u001b[31mone\u001b[39m\ntwo\n' })).toBe(
      '✖ unit: adds\n    one\n    two',
    );
  });

  it('shows the beginning and the end of a long message', () => {
    const message = Array.from({ length: 400 }, (_, number) => `line ${number} ${'x'.repeat(500)}`).join('\n');
    const lines = failureText({ name: 'e2e: creates', message }).split('\n');
    expect(lines).toHaveLength(24);
    expect(lines[1]).toMatch(/^ {4}line 0 x+…$/);
    expect(lines[4]).toBe('    … 378 lines …');
    expect(lines.at(-1)).toMatch(/^ {4}line 399 x+…$/);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(310);
  });
});
