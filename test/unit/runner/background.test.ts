import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { endBackground, identify, startBackground, type BackgroundProcess } from '../../../src/runner/background.ts';

function files(script: string): { readonly path: string; readonly log: string } {
  const directory = mkdtempSync(join(tmpdir(), 'knest-background-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'script.mjs');
  writeFileSync(path, script);
  return { path, log: join(directory, 'log') };
}

/** A process that runs that script until the test ends, once it has sent a message. */
async function started(script: string): Promise<{ readonly known: BackgroundProcess; readonly log: string }> {
  const { path, log } = files(`${script}; process.send('ready'); setInterval(() => {}, 60_000)`);
  const child = startBackground(path, [], { env: { A: 'b' }, log });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'message');
  child.disconnect();
  const known = identify(child.pid ?? 0);
  if (known === undefined) throw new Error('it has ended');
  return { known, log };
}

describe('a background process', () => {
  it('writes its errors to a private file, and runs elsewhere with the given environment', async () => {
    const { log } = await started('console.log("lost"); console.error(process.cwd(), process.env.A, process.env.HOME)');
    await vi.waitFor(() => expect(readFileSync(log, 'utf8')).toBe('/ b undefined\n'));
  });

  it('is ended, also when it does not want to', async () => {
    const { known: willing } = await started('');
    expect(await endBackground(willing)).toBe(true);
    expect(identify(willing.pid)).toBeUndefined();
    const { known } = await started('process.on("SIGTERM", () => {})');
    expect(await endBackground(known)).toBe(true);
    expect(identify(known.pid)).toBeUndefined();
  });

  it('is not ended when another process has its number by now', async () => {
    const { known } = await started('');
    expect(await endBackground({ ...known, startTime: '1' })).toBe(true);
    expect(identify(known.pid)).toEqual(known);
  });

  it('that nobody has asked how it ended counts as ended, as in a container without an init', async () => {
    // The shell becomes a program that never asks.
    const shell = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void shell.kill('SIGKILL'));
    const [text] = (await once(shell.stdout, 'data')) as [Buffer];
    const pid = Number(text.toString());
    const stateOf = (): string =>
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .slice(0, 1);
    await vi.waitFor(() => expect(stateOf()).toBe('Z'));
    expect(identify(pid)).toBeUndefined();
    expect(await endBackground({ pid, startTime: '1' })).toBe(true);
  });
});
