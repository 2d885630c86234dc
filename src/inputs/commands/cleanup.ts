import { readCommon, type CommonInputs } from '../common.ts';
import type { InputReader } from '../reading/reader.ts';

/** The inputs of `command: cleanup`. */
export interface CleanupInputs extends CommonInputs {
  readonly command: 'cleanup';
  /** Whether it only reports what it would delete. */
  readonly dryRun: boolean;
  /** More deletions than this are refused, all of them. */
  readonly maxDeletions: number;
  /** Whether clusters of closed pull requests are deleted before they expire. */
  readonly closedPullRequests: boolean;
  readonly githubToken: string | undefined;
}

/** Reads the inputs of `cleanup`. */
export function readCleanup(reader: InputReader): CleanupInputs {
  const state = reader.optional('pull-request-state');
  if (state !== undefined && state !== 'closed') {
    reader.problem('pull-request-state', `"${state}" is not supported; use closed, or leave it blank`);
  }
  return {
    command: 'cleanup',
    ...readCommon(reader),
    dryRun: reader.boolean('dry-run'),
    maxDeletions: reader.integer('max-deletions', 1, 1000),
    closedPullRequests: state === 'closed',
    githubToken: reader.optional('github-token'),
  };
}
