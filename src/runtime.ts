import type { Job } from './github/job.ts';
import type { MintToken } from './host/credentials/id-tokens.ts';
import type { RunProcess } from './runner/process.ts';
import type { Log } from './report/log.ts';
import type { Summary } from './report/summary.ts';
import type { Timeline } from './report/timeline.ts';
import type { State } from './post-state.ts';

/** Where a command reports what it does. */
export interface Report {
  readonly log: Log;
  readonly summary: Summary;
  readonly timeline: Timeline;
}

/** The outputs of the action, as action.yml describes them. */
export const OUTPUTS = [
  'clusters',
  'created',
  'diagnostics-path',
  'expires-at',
  'kubeconfig',
  'kubeconfig-path',
  'kubernetes-version',
  'name',
  'namespace',
  'pool',
  'registry',
  'server',
  'timings',
] as const;

/** The outputs of the step, and what it leaves in the environment of later steps. */
export interface Outputs {
  /** Sets an output of the step. */
  readonly set: (name: (typeof OUTPUTS)[number], value: string) => void;
  /** Sets an environment variable for later steps. */
  readonly exportVariable: (name: string, value: string) => void;
}

/** What keeps secrets out of logs and files. */
export interface Secrets {
  /** Registers a text that appears as `***` from now on. */
  readonly mask: (secret: string) => void;
  /** Removes the registered texts from a text for a file: the runner masks only its log. */
  readonly redact: (text: string) => string;
}

/** How long a command may work. */
export interface Clock {
  /** Aborts when the job is cancelled and when the command's time is up. Its reason is the KnestError to end with. */
  readonly signal: AbortSignal;
  /** Aborts only when the job is cancelled. */
  readonly cancelled: AbortSignal;
  /** Seconds until the command's time is up. */
  readonly secondsLeft: () => number;
}

/**
 * What a command needs from outside, and the only place where it meets GitHub. The job is not part of it: the post step
 * must delete its cluster whatever the runner's variables and event file contain by then.
 */
export interface Runtime {
  readonly env: NodeJS.ProcessEnv;
  readonly run: RunProcess;
  /** A directory that only this user can read and change. Throws KNEST_RUNNER when it cannot be created. */
  readonly directory: string;
  readonly state: State;
  readonly report: Report;
  readonly outputs: Outputs;
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** Requests an OIDC token for this job from GitHub, and masks it. */
  readonly mintToken: MintToken;
}

/** The runtime of main, where the job is known. */
export interface JobRuntime extends Runtime {
  readonly job: Job;
}
