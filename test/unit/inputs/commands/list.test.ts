import { describe, expect, it } from 'vitest';
import { problems, read } from '../given-inputs.ts';

describe('list', () => {
  it('reads the namespace, and whether to list all repositories', () => {
    expect(read({ command: 'list' })).toEqual({
      command: 'list',
      namespace: 'knest',
      timeoutSeconds: 1200,
      host: { kubeconfig: undefined, kubeconfigFile: undefined, context: undefined },
      allRepositories: false,
    });
    expect(read({ command: 'list', namespace: '*', 'all-repositories': 'true' })).toMatchObject({
      namespace: undefined,
      allRepositories: true,
    });
  });

  it.each([
    [{ namespace: 'ci-*' }, /^namespace: "ci-\*" is not a DNS label/],
    [{ namespace: ' ' }, /^namespace: is missing; for example knest$/],
    [{ 'all-repositories': 'all' }, /^all-repositories: "all" is not a boolean; use true or false$/],
  ])('refuses %j', (given, problem) => {
    expect(problems({ command: 'list', ...given })).toEqual([expect.stringMatching(problem)]);
  });
});

it('other commands need a single namespace', () => {
  expect(problems({ namespace: '*' })).toEqual([expect.stringMatching(/^namespace: "\*" is not a DNS label/)]);
});
