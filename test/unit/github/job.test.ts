import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readJob } from '../../../src/github/job.ts';

const env = {
  GITHUB_REPOSITORY: 'acme/shop',
  GITHUB_REPOSITORY_ID: '4711',
  GITHUB_RUN_ID: '1234567890',
  GITHUB_RUN_ATTEMPT: '2',
  GITHUB_JOB: 'e2e',
  GITHUB_REF: 'refs/pull/17/merge',
  GITHUB_SERVER_URL: 'https://github.example.com',
};
const directory = mkdtempSync(join(tmpdir(), 'knest-event-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** The path of an event file with this text. */
function eventOf(text: string): string {
  const file = join(directory, 'event.json');
  writeFileSync(file, text);
  return file;
}

describe('readJob', () => {
  it('reads what the runner sets', () => {
    expect(readJob(env)).toEqual({
      server: 'github.example.com',
      repository: 'acme/shop',
      repositoryId: '4711',
      runId: '1234567890',
      runAttempt: '2',
      jobName: 'e2e',
      step: undefined,
      runUrl: 'https://github.example.com/acme/shop/actions/runs/1234567890',
      pullRequest: '17',
    });
  });

  it.each([
    ['db', 'db'],
    ['__knest_knest-action', undefined],
    ['__knest_knest-action_2', '2'],
    ['', undefined],
  ])('maps GITHUB_ACTION %j to the step %j', (action, step) => {
    expect(readJob({ ...env, GITHUB_ACTION: action }).step).toBe(step);
  });

  it.each(['refs/heads/main', 'refs/tags/v1', 'refs/heads/refs/pull/3/merge', undefined])(
    'finds no pull request in the ref %s',
    (ref) => {
      expect(readJob({ ...env, GITHUB_REF: ref }).pullRequest).toBeUndefined();
    },
  );

  it('reads the pull request from the event when the ref is its base branch', () => {
    const base = { ...env, GITHUB_REF: 'refs/heads/main' };
    const withEvent = (text: string) => readJob({ ...base, GITHUB_EVENT_PATH: eventOf(text) }).pullRequest;
    expect(withEvent('{ "pull_request": { "number": 23 } }')).toBe('23');
    for (const text of ['{}', 'null', '7', '', '{ "pull', '{ "pull_request": null }']) {
      expect(withEvent(text), text).toBeUndefined();
    }
    expect(withEvent('{ "pull_request": { "number": "a b" } }')).toBeUndefined();
    expect(readJob({ ...base, GITHUB_EVENT_PATH: directory }).pullRequest).toBeUndefined();
  });

  const runOf = (event: string, ...numbers: number[]): object => ({
    event,
    pull_requests: numbers.map((number) => ({ number, base: { repo: { id: 4711 } } })),
  });

  it.each<[string, string | undefined, object]>([
    ['a comment on a pull request', '17', { issue: { number: 17, pull_request: { url: 'https://…' } } }],
    ['a comment on an issue', undefined, { issue: { number: 17 } }],
    ['a comment on an issue, as a null', undefined, { issue: { number: 17, pull_request: null } }],
    ['a review', '17', { pull_request: { number: 17 }, review: {} }],
    ['the run of a pull request', '17', { workflow_run: runOf('pull_request', 17) }],
    ['the run of a pull request from a fork', undefined, { workflow_run: runOf('pull_request') }],
    ['the run of a pull request whose branch has two', undefined, { workflow_run: runOf('pull_request', 17, 18) }],
    ['the run of a push to a branch with a pull request', undefined, { workflow_run: runOf('push', 17) }],
    ['the run of a scheduled workflow', undefined, { workflow_run: runOf('schedule') }],
    [
      'the run of a branch that also has a pull request in another repository',
      '17',
      {
        workflow_run: {
          event: 'pull_request',
          pull_requests: [
            { number: 3, base: { repo: { id: 1 } } },
            { number: 17, base: { repo: { id: 4711 } } },
          ],
        },
      },
    ],
    ['a run without a list', undefined, { workflow_run: { event: 'pull_request', pull_requests: null } }],
  ])('finds for %s the pull request %s', (_what, number, event) => {
    const file = eventOf(JSON.stringify({ repository: { id: 4711 }, ...event }));
    const job = { ...env, GITHUB_REF: 'refs/heads/main', GITHUB_EVENT_PATH: file };
    expect(readJob(job).pullRequest).toBe(number);
    // The input adds what the event does not contain, and never contradicts it.
    expect(readJob(job, '17').pullRequest).toBe('17');
  });

  it('refuses an input that contradicts the event', () => {
    expect(() => readJob(env, '18')).toThrow(
      expect.objectContaining({
        code: 'KNEST_INPUT',
        evidence: ['pull-request: is 18, but this run is for pull request 17; leave it out'],
      }),
    );
  });

  it('makes a label from the name of the repository when there is no ID', () => {
    expect(readJob({ ...env, GITHUB_REPOSITORY_ID: undefined }).repositoryId).toBe('acme.shop');
    const longNamed = { ...env, GITHUB_REPOSITORY_ID: undefined, GITHUB_REPOSITORY: `acme/${'shop-'.repeat(20)}` };
    expect(readJob(longNamed).repositoryId).toMatch(/^[A-Za-z0-9][\w.-]{0,61}[A-Za-z0-9]$/);
  });

  it.each([
    [undefined, 'github.com'],
    ['https://github.com', 'github.com'],
    ['https://GitHub.example.com/', 'github.example.com'],
    ['https://ghe.example.com:8443', 'ghe.example.com_8443'],
  ])('maps the server %j to %s', (url, server) => {
    expect(readJob({ ...env, GITHUB_SERVER_URL: url }).server).toBe(server);
  });

  it.each<[string, NodeJS.ProcessEnv]>([
    ['GITHUB_REPOSITORY_ID is empty', { GITHUB_REPOSITORY_ID: '' }],
    ['GITHUB_REPOSITORY_ID is empty', { GITHUB_REPOSITORY_ID: undefined, GITHUB_REPOSITORY: undefined }],
    ['GITHUB_REPOSITORY_ID is empty', { GITHUB_REPOSITORY_ID: undefined, GITHUB_REPOSITORY: '4711' }],
    ...['47 11', 'acme/shop', '0x4711', '-1', '${{ github.repository_id }}'].map((id): [string, NodeJS.ProcessEnv] => [
      'GITHUB_REPOSITORY_ID is not a number',
      { GITHUB_REPOSITORY_ID: id },
    ]),
    ['GITHUB_RUN_ID is empty', { GITHUB_RUN_ID: '' }],
    ['GITHUB_SERVER_URL is empty', { GITHUB_SERVER_URL: '' }],
    ['GITHUB_SERVER_URL is empty', { GITHUB_SERVER_URL: 'github.com' }],
  ])('refuses a job without an owner: %s (%j)', (problem, changed) => {
    expect(() => readJob({ ...env, ...changed })).toThrow(
      expect.objectContaining({
        code: 'KNEST_RUNNER',
        problem: `${problem}: the action cannot record who owns a cluster`,
      }),
    );
  });
});
