import { spawn } from 'node:child_process';
import type { RunProcess } from './world.ts';

/**
 * Runs programs until the signal aborts, which ends them: the runner tells main alone that the job is cancelled, not
 * what it has started, and @actions/exec has no way to end a program. Rejects with the signal's reason then, and when a
 * program cannot be started.
 */
export function processRunner(signal: AbortSignal): RunProcess {
  return (program, args, env) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const child = spawn(program, args, { env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
      let [stdout, stderr] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      child.on('error', (error) => reject(signal.aborted ? (signal.reason as Error) : error));
      child.on('close', (code) => resolve({ exitCode: code ?? 1, stdout, stderr }));
    });
}
