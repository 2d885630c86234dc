import { describe, expect, it } from 'vitest';
import { problems, read } from '../given-inputs.ts';

describe('cleanup', () => {
  it('deletes up to twenty expired clusters by default', () => {
    expect(read({ command: 'cleanup', 'github-token': '' })).toEqual({
      command: 'cleanup',
      namespace: 'knest',
      timeoutSeconds: 1200,
      host: { kubeconfig: undefined, kubeconfigFile: undefined, context: undefined },
      dryRun: false,
      maxDeletions: 20,
      closedPullRequests: false,
      githubToken: undefined,
    });
  });

  it('reads its inputs', () => {
    const given = {
      'dry-run': 'true',
      'max-deletions': '100',
      'pull-request-state': 'closed',
      'github-token': 'ghs_1',
    };
    expect(read({ command: 'cleanup', ...given })).toMatchObject({
      dryRun: true,
      maxDeletions: 100,
      closedPullRequests: true,
      githubToken: 'ghs_1',
    });
  });

  it.each([
    ['dry-run', 'yes', '"yes" is not a boolean; use true or false'],
    ['dry-run', ' ', 'is missing; true or false'],
    ['max-deletions', '0', '"0" is not a whole number from 1 to 1000'],
    ['max-deletions', '-1', '"-1" is not a whole number from 1 to 1000'],
    ['max-deletions', '1001', '"1001" is not a whole number from 1 to 1000'],
    ['max-deletions', 'all', '"all" is not a whole number from 1 to 1000'],
    ['max-deletions', ' ', 'is missing; a whole number from 1 to 1000'],
    ['pull-request-state', 'merged', '"merged" is not supported; use closed, or leave it blank'],
    ['pull-request-state', 'Closed', '"Closed" is not supported; use closed, or leave it blank'],
  ])('refuses %s %j', (input, text, problem) => {
    expect(problems({ command: 'cleanup', [input]: text })).toEqual([`${input}: ${problem}`]);
  });
});
