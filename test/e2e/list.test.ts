import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job, StepResult } from '../support/runner.ts';
import { jobOn, sharedHost } from './support.ts';

const host = sharedHost();
const [namespace, elsewhere] = ['list', 'list-elsewhere'];
const otherRepository = { GITHUB_REPOSITORY: 'other-org/other', GITHUB_REPOSITORY_ID: '99' };

interface Listed {
  readonly name: string;
  readonly namespace: string;
  readonly state: string;
  readonly repository?: string;
  readonly runUrl?: string;
  readonly pullRequest?: string;
  readonly expiresAt?: string;
}

/** Clusters of two repositories in two namespaces, and one that nobody owns. */
describe('list', () => {
  const jobs: Job[] = [];
  const make = async (
    name: string,
    inputs: Readonly<Record<string, string>>,
    env?: Readonly<Record<string, string>>,
  ): Promise<void> => {
    const given = { infrastructure: 'in-memory', name, namespace, 'worker-machine-count': '0', ...inputs };
    const job = jobOn(host, given, env && { env });
    jobs.push(job);
    const main = await job.main();
    expect(main.exitCode, main.log).toBe(0);
  };
  const list = async (inputs: Readonly<Record<string, string>>): Promise<StepResult> => {
    const job = jobOn(host, { command: 'list', namespace, ...inputs });
    const main = await job.main();
    job.clean();
    expect(main.exitCode, main.log).toBe(0);
    return main;
  };
  const found = ({ outputs }: StepResult): readonly Listed[] => JSON.parse(outputs['clusters'] ?? '') as Listed[];
  const places = (result: StepResult): readonly string[] => found(result).map((one) => `${one.namespace}/${one.name}`);

  beforeAll(async () => {
    await make('first', { ttl: '2h' }, { GITHUB_REF: 'refs/pull/17/merge' });
    await make('lasting', { ephemeral: 'false', 'wait-for': 'none', namespace: elsewhere });
    await make('foreign', { 'wait-for': 'none' }, otherRepository);
  });
  afterAll(async () => {
    for (const job of jobs) await job.post();
    await jobOn(host, { command: 'delete', name: 'lasting', namespace: elsewhere }).main();
    for (const job of jobs) job.clean();
  });

  it('shows the clusters of this repository in the namespace, with state, owner and expiry', async () => {
    const result = await list({});
    expect(found(result)).toEqual([
      expect.objectContaining({
        name: 'first',
        namespace,
        state: expect.stringMatching(/^(ready|starting)$/) as string,
        repository: 'octo-org/octo-repo',
        runUrl: 'https://github.com/octo-org/octo-repo/actions/runs/1658821493',
        pullRequest: '17',
        expiresAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      }),
    ]);
    expect(result.log).toMatch(/^Cluster +State +Age +Expires +Repository +Pull request +Run$/m);
    expect(result.log).toMatch(/^list\/first +\w+ +\w+ +in 1h5\w+ +octo-org\/octo-repo +17 +https:/m);
    expect(result.summary).toContain('### 1 cluster of octo-org/octo-repo in list');
    expect(result.summary).toMatch(/^\| list\/first \|/m);
  });

  it('shows the clusters of all namespaces', async () => {
    const result = await list({ namespace: '*' });
    expect(places(result)).toEqual(expect.arrayContaining([`${elsewhere}/lasting`, `${namespace}/first`]));
    expect(places(result)).not.toContain(`${namespace}/foreign`);
    expect(found(result).find(({ name }) => name === 'lasting')).not.toHaveProperty('expiresAt');
  });

  it('shows the clusters of other repositories on request', async () => {
    const result = await list({ 'all-repositories': 'true' });
    expect(places(result)).toEqual([`${namespace}/first`, `${namespace}/foreign`]);
    expect(found(result)[1]).toMatchObject({ repository: 'other-org/other' });
  });

  it('reports when there are none', async () => {
    const result = await list({ namespace: 'list-empty' });
    expect(result.outputs['clusters']).toBe('[]');
    expect(result.log).toContain('no clusters of octo-org/octo-repo in list-empty');
  });
});
