import type { Job } from './github/job.ts';
import type { MintToken } from './host/credentials/id-tokens.ts';
import type { RunProcess } from './process.ts';
import type { Log } from './report/log.ts';
import type { Summary } from './report/summary.ts';
import type { Timeline } from './report/timeline.ts';
import type { State } from './state.ts';

/**
 * Everything outside: what a test wants otherwise, and all that knows of GitHub. The job is not part of it: the post step
 * needs nothing but its state, and must delete the cluster whatever the runner's variables and event file hold by then.
 */
export interface World {
  readonly env: NodeJS.ProcessEnv;
  readonly state: State;
  readonly log: Log;
  readonly summary: Summary;
  readonly timeline: Timeline;
  readonly run: RunProcess;
  /** A directory that only this user can read and change. Throws KNEST_RUNNER when it cannot be made. */
  readonly directory: string;
  /** Registers a text to be shown as `***` from here on. */
  readonly mask: (secret: string) => void;
  /** A text without what was registered so far: for files, which the runner does not look at. */
  readonly redact: (text: string) => string;
  /** Asks GitHub for an OIDC token of this job, and registers it as a secret. */
  readonly mintToken: MintToken;
  /** Sets an output of the step. */
  readonly output: (name: string, value: string) => void;
  /** Sets an environment variable for the steps that follow. */
  readonly exportVariable: (name: string, value: string) => void;
  /** Aborts when the job is cancelled, and when the time of the command is up; its reason is the KnestError to end with. */
  readonly signal: AbortSignal;
  /** Aborts when the job is cancelled, and then alone. */
  readonly cancelled: AbortSignal;
  /** Seconds until the time of the command is up. */
  readonly secondsLeft: () => number;
}

/** The world of a command of main, which knows its job. */
export interface JobWorld extends World {
  readonly job: Job;
}
