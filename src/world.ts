import { existsSync, readFileSync } from 'node:fs';
import type { MintToken } from './host/id-tokens.ts';
import type { Log } from './report/log.ts';
import type { Summary } from './report/summary.ts';
import type { Timeline } from './report/timeline.ts';
import type { State } from './state.ts';

/** The job that runs the action, as GitHub describes it. */
export interface Job {
  /** `owner/name`. */
  readonly repository: string;
  /** Does not change when the repository is renamed. */
  readonly repositoryId: string;
  readonly runId: string;
  readonly runAttempt: string;
  readonly jobName: string;
  /** Undefined unless it tells this use of the action from others in the job. */
  readonly step: string | undefined;
  /** The address of the run, for people. */
  readonly runUrl: string;
  /** Undefined unless the run is for a pull request. */
  readonly pullRequest: string | undefined;
}

/** How a child process ended, and all it wrote. */
export interface ProcessResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program without a shell, quietly; secrets travel in files, never in `args`. */
export type RunProcess = (
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) => Promise<ProcessResult>;

/** Everything outside: what a test wants otherwise, and all that knows of GitHub. */
export interface World {
  readonly env: NodeJS.ProcessEnv;
  readonly job: Job;
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

/**
 * The job's own environment for a child process, since what it runs may need any of it; but without the inputs, which
 * hold secrets.
 */
export function childEnvironment(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('INPUT_'),
    ),
  );
}

/** Reads the job from the variables that the runner sets. Source: docs.github.com, "Variables reference". */
export function readJob(env: NodeJS.ProcessEnv): Job {
  const repository = env['GITHUB_REPOSITORY'] ?? 'local/local';
  const runId = env['GITHUB_RUN_ID'] ?? '0';
  return {
    repository,
    // act sets no id: the name then stands for it.
    repositoryId: env['GITHUB_REPOSITORY_ID'] ?? asLabel(repository),
    runId,
    runAttempt: env['GITHUB_RUN_ATTEMPT'] ?? '1',
    jobName: env['GITHUB_JOB'] ?? 'job',
    step: stepOf(env['GITHUB_ACTION'] ?? ''),
    runUrl: `${env['GITHUB_SERVER_URL'] ?? 'https://github.com'}/${repository}/actions/runs/${runId}`,
    pullRequest: pullRequestOf(env),
  };
}

/** A text as the value of a label: at most 63 characters, a letter or digit first and last. */
function asLabel(text: string): string {
  const allowed = text.replace(/[^A-Za-z0-9._-]/g, '.').slice(0, 63);
  return allowed.replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
}

/** A step's id, or the number of its repetition: the runner names a step without id after its action, `__owner_name_2`. */
function stepOf(action: string): string | undefined {
  if (!action.startsWith('__')) return action === '' ? undefined : action;
  return /_(\d+)$/.exec(action)?.[1];
}

/** The number of the run's pull request, from the event itself: GITHUB_REF is the base under pull_request_target. */
function pullRequestOf(env: NodeJS.ProcessEnv): string | undefined {
  const fromRef = /^refs\/pull\/(\d+)\//.exec(env['GITHUB_REF'] ?? '')?.[1];
  const file = env['GITHUB_EVENT_PATH'] ?? '';
  if (fromRef !== undefined || !existsSync(file)) return fromRef;
  const event = JSON.parse(readFileSync(file, 'utf8')) as { readonly pull_request?: { readonly number?: number } };
  return event.pull_request?.number?.toString();
}
