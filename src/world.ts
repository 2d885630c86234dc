import { inputError, KnestError } from './errors.ts';
import { pullRequestOf } from './github/event.ts';
import type { MintToken } from './host/id-tokens.ts';
import type { Log } from './report/log.ts';
import type { Summary } from './report/summary.ts';
import type { Timeline } from './report/timeline.ts';
import type { State } from './state.ts';
import { isLabelValue, labelValue } from './values/label.ts';

/** The job that runs the action, as GitHub describes it. */
export interface Job {
  /** The GitHub server, as the value of a label: the ids of repositories count anew on each server. */
  readonly server: string;
  /** `owner/name`. */
  readonly repository: string;
  /** Does not change when the repository is renamed. Never empty. */
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

/** Runs a program without a shell, quietly; secrets travel in files, never in `args`. `stop` ends it early. */
export type RunProcess = (
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  stop?: AbortSignal,
) => Promise<ProcessResult>;

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

/**
 * Reads the job from the variables that the runner sets. `pullRequest`: that of the input, for events that do not carry
 * it. Throws KNEST_RUNNER when they do not say which server, repository or run it is: an empty owner would own what every
 * other job with an empty owner made; KNEST_INPUT when the event is for another pull request than the input. Source:
 * docs.github.com, "Variables reference".
 */
export function readJob(env: NodeJS.ProcessEnv, pullRequest?: string): Job {
  const server = serverOf(env['GITHUB_SERVER_URL'] ?? 'https://github.com');
  const repository = env['GITHUB_REPOSITORY'] ?? '';
  const runId = label('GITHUB_RUN_ID', env['GITHUB_RUN_ID'] ?? '0');
  return {
    server: server.name,
    repository,
    repositoryId: repositoryIdOf(env['GITHUB_REPOSITORY_ID'], repository),
    runId,
    runAttempt: env['GITHUB_RUN_ATTEMPT'] ?? '1',
    jobName: env['GITHUB_JOB'] ?? 'job',
    step: stepOf(env['GITHUB_ACTION'] ?? ''),
    runUrl: `${server.url}/${repository}/actions/runs/${runId}`,
    pullRequest: agreed(pullRequestOf(env), pullRequest),
  };
}

/** The id of the repository; where the runner sets none, as act does, its name, whose slash keeps it from being an id. */
function repositoryIdOf(id: string | undefined, repository: string): string {
  const variable = 'GITHUB_REPOSITORY_ID';
  if (id === undefined) return label(variable, repository.includes('/') ? labelValue(repository) : '');
  if (id === '' || /^\d+$/.test(id)) return label(variable, id);
  throw new KnestError({
    code: 'KNEST_RUNNER',
    problem: `${variable} is not a number: the owner of a cluster is not known`,
    next: `set it to the id of the repository: gh api repos/OWNER/NAME --jq .id`,
  });
}

/** The server's address without a slash at its end, and its host and port as the value of a label. */
function serverOf(address: string): { readonly url: string; readonly name: string } {
  const url = address.trim().replace(/\/+$/, '');
  // No name of a host has an underscore: the port stays apart from it.
  const host = URL.canParse(url) ? new URL(url).host.replaceAll(':', '_') : '';
  return { url, name: label('GITHUB_SERVER_URL', labelValue(host)) };
}

/** The value of a variable that becomes a label of the owner. */
function label(variable: string, value: string): string {
  if (isLabelValue(value)) return value;
  throw new KnestError({
    code: 'KNEST_RUNNER',
    problem: `${variable} is ${value === '' ? 'empty' : 'not usable as the value of a label'}: the owner of a cluster is not known`,
    next: 'run the action on a GitHub runner, or set GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_REPOSITORY_ID and GITHUB_RUN_ID as one does',
  });
}

/** A step's id, or the number of its repetition: the runner names a step without id after its action, `__owner_name_2`. */
function stepOf(action: string): string | undefined {
  if (!action.startsWith('__')) return action === '' ? undefined : action;
  return /_(\d+)$/.exec(action)?.[1];
}

/** The pull request that the event and the input agree on. */
function agreed(ofEvent: string | undefined, ofInput: string | undefined): string | undefined {
  if (ofEvent === undefined || ofInput === undefined || ofEvent === ofInput) return ofEvent ?? ofInput;
  throw inputError([`pull-request: is ${ofInput}, but this run is for pull request ${ofEvent}; leave it out`]);
}
