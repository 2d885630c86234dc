import { describe, expect, it } from 'vitest';
import { readJob } from '../../src/world.ts';

const env = {
  GITHUB_REPOSITORY: 'acme/shop',
  GITHUB_REPOSITORY_ID: '4711',
  GITHUB_RUN_ID: '1234567890',
  GITHUB_RUN_ATTEMPT: '2',
  GITHUB_JOB: 'e2e',
  GITHUB_REF: 'refs/pull/17/merge',
  GITHUB_SERVER_URL: 'https://github.example.com',
};

describe('readJob', () => {
  it('reads what the runner sets', () => {
    expect(readJob(env)).toEqual({
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

  it.each(['refs/heads/main', 'refs/tags/v1', 'refs/heads/refs/pull/3/merge', undefined])(
    'knows no pull request for the ref %s',
    (ref) => {
      expect(readJob({ ...env, GITHUB_REF: ref }).pullRequest).toBeUndefined();
    },
  );

  it('makes a label of the repository where there is no id', () => {
    expect(readJob({ ...env, GITHUB_REPOSITORY_ID: undefined }).repositoryId).toBe('acme.shop');
    const longNamed = { ...env, GITHUB_REPOSITORY_ID: undefined, GITHUB_REPOSITORY: `acme/${'shop-'.repeat(20)}` };
    expect(readJob(longNamed).repositoryId).toMatch(/^[A-Za-z0-9][\w.-]{0,61}[A-Za-z0-9]$/);
  });
});
