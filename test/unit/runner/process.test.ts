import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { processRunner } from '../../../src/runner/process.ts';
import { rejection } from '../rejection.ts';

const never = new AbortController().signal;

/** A directory for a test, whose name begins with this text. */
function temporary(name = 'knest-process-'): string {
  const directory = mkdtempSync(join(tmpdir(), name));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A script that writes its process id to a file, does `more`, and then runs forever. */
function forever(file: string, more = ''): string {
  return `require('fs').appendFileSync(${JSON.stringify(file)}, process.pid + '\\n'); ${more}; setInterval(() => {}, 1000)`;
}

/** The process IDs in the file, once there are so many. */
async function pidsIn(file: string, count: number): Promise<readonly number[]> {
  return vi.waitFor(() => {
    const pids = readFileSync(file, 'utf8').trimEnd().split('\n').map(Number);
    expect(pids).toHaveLength(count);
    return pids;
  }, 10_000);
}

/** Waits until there is no such process, except one that has ended and waits for its parent. */
async function gone(pid: number): Promise<void> {
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 10_000);
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a program', () => {
  it('may have spaces in its path', async () => {
    const program = join(temporary('knest process '), 'node');
    symlinkSync(process.execPath, program);
    expect(await processRunner(never)(program, ['-p', '1 + 1'], {})).toMatchObject({ stdout: '2\n' });
  });

  it('runs without a shell, and returns its exit code and output', async () => {
    const script = 'console.log(process.argv[1], process.env.GREETING); console.error("e"); process.exitCode = 3';
    const result = await processRunner(never)(process.execPath, ['-e', script, '$HOME;'], { GREETING: 'hello' });
    expect(result).toEqual({ exitCode: 3, stdout: '$HOME; hello\n', stderr: 'e\n' });
  });

  it('is found in the PATH that it gets', async () => {
    const directory = temporary();
    writeFileSync(join(directory, 'only-here'), '#!/bin/sh\necho found\n', { mode: 0o700 });
    expect(await processRunner(never)('only-here', [], { PATH: directory })).toMatchObject({ stdout: 'found\n' });
  });

  it('has an empty standard input, so it does not wait for a password', async () => {
    const script = 'process.stdin.resume().on("end", () => console.log("nothing"))';
    expect(await processRunner(never)(process.execPath, ['-e', script], {})).toMatchObject({ stdout: 'nothing\n' });
  });

  it('that does not exist rejects', async () => {
    expect(await rejection(processRunner(never)('/no/such/program', [], {}))).toMatchObject({
      code: 'ENOENT',
      message: 'spawn /no/such/program ENOENT',
    });
  });

  it('that is ended by a signal has the exit code of a shell', async () => {
    expect(await processRunner(never)('/bin/sh', ['-c', 'kill -9 $$'], {})).toMatchObject({ exitCode: 137 });
  });

  it('is waited for only until it exits, even when a child process keeps its output open', async () => {
    const file = join(temporary(), 'pids');
    const child = JSON.stringify(forever(file));
    const script = `require('child_process').spawn(process.execPath, ['-e', ${child}], { stdio: 'inherit' }).unref(); console.log('done')`;
    expect(await processRunner(never)(process.execPath, ['-e', script], {})).toMatchObject({ stdout: 'done\n' });
    const [pid = 0] = await pidsIn(file, 1);
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
  });
});

describe('a program that runs when the signal aborts', () => {
  it.each([
    ['by itself', ''],
    ['even if it ignores SIGTERM', "process.on('SIGTERM', () => {})"],
  ])('ends with its child processes, and rejects with the reason: %s', async (_how, more) => {
    const file = join(temporary(), 'pids');
    const grandchild = JSON.stringify(forever(file, more));
    const script = forever(file, `${more}; require('child_process').spawn(process.execPath, ['-e', ${grandchild}])`);
    const time = new AbortController();
    const running = rejection(processRunner(time.signal)(process.execPath, ['-e', script], {}));
    const pids = await pidsIn(file, 2);
    const reason = new Error('the time is up');
    time.abort(reason);
    expect(await running).toBe(reason);
    for (const pid of pids) await gone(pid);
  });

  it('does not start when the signal has already aborted', async () => {
    const reason = new Error('the job was cancelled');
    expect(await rejection(processRunner(AbortSignal.abort(reason))('/no/such/program', [], {}))).toBe(reason);
  });
});
