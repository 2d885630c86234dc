import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { getExecOutput } from '@actions/exec';
import type { RunProcess } from './world.ts';

/**
 * Runs programs until the signal aborts, which ends them: the runner tells main alone that the job is cancelled, not
 * what it has started. Rejects with the signal's reason then, and when a program cannot be started.
 */
export function processRunner(signal: AbortSignal): RunProcess {
  endChildrenWith(signal);
  return async (program, args, env) => {
    signal.throwIfAborted();
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
    // The first argument is taken apart at its blanks; an empty standard input ends a program that asks.
    const options = { env, silent: true, ignoreReturnCode: true, input: Buffer.alloc(0) };
    return Promise.race([getExecOutput(`"${program}"`, [...args], options), aborted]);
  };
}

/**
 * Ends every child of this process when the signal aborts. @actions/exec hands out no process that could be ended, so
 * they are heard of from Node itself. Source: nodejs.org/api/diagnostics_channel.html, "Child Process".
 */
function endChildrenWith(signal: AbortSignal): void {
  subscribe('child_process', (message) => {
    const { process: child } = message as { readonly process: ChildProcess };
    const end = (): boolean => child.kill();
    child.once('spawn', () => (signal.aborted ? end() : signal.addEventListener('abort', end, { once: true })));
    child.once('exit', () => signal.removeEventListener('abort', end));
  });
}
