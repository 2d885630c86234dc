import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { processRunner } from '../../src/process.ts';
import { rejection } from './rejection.ts';

const fail = (): never => expect.unreachable();
const never = new AbortController().signal;

describe('a program', () => {
  it('may lie where there are blanks in the path', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'knest process '));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const program = join(directory, 'node');
    symlinkSync(process.execPath, program);
    expect(await processRunner(never)(program, ['-p', '1 + 1'], {})).toMatchObject({ stdout: '2\n' });
  });

  it('is run without a shell, and all it wrote is returned', async () => {
    const script = 'console.log(process.argv[1], process.env.GREETING); console.error("e"); process.exitCode = 3';
    const result = await processRunner(never)(process.execPath, ['-e', script, '$HOME;'], { GREETING: 'hello' });
    expect(result).toEqual({ exitCode: 3, stdout: '$HOME; hello\n', stderr: 'e\n' });
  });

  it('that is not there rejects', async () => {
    expect(await rejection(processRunner(never)('/no/such/program', [], {}))).toMatchObject({
      message: expect.stringContaining('Unable to locate executable file: /no/such/program') as string,
    });
  });

  it('is ended when the job is cancelled, which is the reason', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'knest-process-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'pid');
    const cancelled = new AbortController();
    const script = `require('fs').writeFileSync(${JSON.stringify(file)}, String(process.pid)); setInterval(() => {}, 1000)`;
    const running = rejection(processRunner(cancelled.signal)(process.execPath, ['-e', script], {}));
    const pid = await vi.waitFor(() => Number(/^\d+$/.exec(readFileSync(file, 'utf8'))?.[0] ?? fail()), 5_000);
    const reason = new Error('the job was cancelled');
    cancelled.abort(reason);
    expect(await running).toBe(reason);
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), 5_000);
  });

  it('is not begun when the job was cancelled before', async () => {
    const reason = new Error('the job was cancelled');
    expect(await rejection(processRunner(AbortSignal.abort(reason))('/no/such/program', [], {}))).toBe(reason);
  });
});
