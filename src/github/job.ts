import { inputError, KnestError } from '../errors.ts';
import { isLabelValue, labelValue } from '../values/label.ts';
import { pullRequestOf } from './event.ts';

/** The job that runs the action, as GitHub describes it. */
export interface Job {
  /** The GitHub server, as the value of a label: repository ids are unique only within a server. */
  readonly server: string;
  /** `owner/name`. */
  readonly repository: string;
  /** Does not change when the repository is renamed. Never empty. */
  readonly repositoryId: string;
  readonly runId: string;
  readonly runAttempt: string;
  readonly jobName: string;
  /** Undefined unless it distinguishes this use of the action from others in the job. */
  readonly step: string | undefined;
  /** The address of the run, for people. */
  readonly runUrl: string;
  /** Undefined unless the run is for a pull request. */
  readonly pullRequest: string | undefined;
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
    problem: `${variable} is not a number: the action cannot record who owns a cluster`,
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
    problem: `${variable} is ${value === '' ? 'empty' : 'not a valid label value'}: the action cannot record who owns a cluster`,
    next: 'run the action on a GitHub runner, or set GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_REPOSITORY_ID and GITHUB_RUN_ID as a GitHub runner does',
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
