import * as core from '@actions/core';
import { KnestError, messageOf, runnerProblem } from '../errors.ts';

/** What to do about a missing file of the runner, which @actions/core reports in an error without a code. */
const MISSING = 'do not remove files of the runner in earlier steps';

/** Saves a value for the post step of this action. Throws KNEST_RUNNER when the file of the runner cannot be written. */
export function saveState(name: string, value: string): void {
  writing('GITHUB_STATE', () => core.saveState(name, value));
}

/**
 * Has a runner mask a secret in its log from here on. Without a runner, as in a CronJob, it prints nothing: the command
 * would show the secret. Every runner sets GITHUB_ACTIONS:
 * https://docs.github.com/en/actions/reference/workflows-and-actions/variables
 */
export function maskSecret(secret: string, env: NodeJS.ProcessEnv): void {
  if (env['GITHUB_ACTIONS'] === 'true') core.setSecret(secret);
}

/** Sets an output of the step. Throws as `saveState` does. */
export function setOutput(name: string, value: string): void {
  writing('GITHUB_OUTPUT', () => core.setOutput(name, value));
}

/** Sets an environment variable for the steps that follow. Throws as `saveState` does. */
export function exportVariable(name: string, value: string): void {
  writing('GITHUB_ENV', () => core.exportVariable(name, value));
}

function writing(variable: string, write: () => void): void {
  try {
    write();
  } catch (thrown) {
    throw new KnestError({
      code: 'KNEST_RUNNER',
      problem: `the file that ${variable} names cannot be written: ${messageOf(thrown)}`,
      next: runnerProblem(thrown)?.next ?? MISSING,
      cause: thrown,
    });
  }
}
