import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sharedHost } from '../support.ts';
import { Act, namespace, repository } from './act.ts';

const host = sharedHost();
const file = 'cleanup.yml';
const hour = 3_600_000;

/** A Cluster of the repository without infrastructure: cheap, but its controllers and their writes are real. */
function cluster(name: string, expiresInHours: number, pullRequest: number): object {
  const labels = {
    'knest-action/managed': 'true',
    'knest-action/server': 'github.com',
    'knest-action/repository-id': repository.id,
    'knest-action/pull-request': `${pullRequest}`,
  };
  const annotations = { 'knest-action/expires-at': new Date(Date.now() + expiresInHours * hour).toISOString() };
  const infrastructureRef = { apiGroup: 'infrastructure.cluster.x-k8s.io', kind: 'DevCluster', name };
  return {
    apiVersion: 'cluster.x-k8s.io/v1beta2',
    kind: 'Cluster',
    metadata: { name, namespace, labels, annotations },
    spec: { infrastructureRef },
  };
}

describe(`workflows/${file}`, () => {
  let act: Act;
  let github: ChildProcess;
  /** Options of act by which the action finds the stand-in for the GitHub API. */
  let options: readonly string[];

  beforeAll(async () => {
    act = await Act.prepare(host);
    const script = join(import.meta.dirname, '../../support/github-api.ts');
    const { command, args } = host.command([process.execPath, script, repository.id, '8=closed', '9=open']);
    const server = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    github = server;
    const [address] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
    options = ['--env', `GITHUB_API_URL=${address}`];
  });
  afterAll(async () => {
    github.kill();
    act.clean();
    await host.kubectl(['delete', 'clusters', '-n', namespace, 'expired', 'closed', 'open', '--ignore-not-found']);
  });
  beforeEach(async () => {
    const items = [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      cluster('expired', -1, 9),
      cluster('closed', 1, 8),
      cluster('open', 1, 9),
    ];
    await host.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  });

  const there = async (): Promise<string[]> => {
    const query = ['get', 'clusters', '-n', namespace, '-l', 'knest-action/pull-request in (8,9)', '-o', 'name'];
    return (await host.kubectl(query)).trim().split('\n');
  };
  const named = (...names: string[]): string[] => names.map((name) => `cluster.cluster.x-k8s.io/${name}`);

  it('only lists what it would delete when it is started by hand with dry-run', async () => {
    // As in GitHub’s payload: a string, though the input is a boolean.
    const payload = { inputs: { 'dry-run': 'true' } };
    const { code, log } = await act.run([file], { event: 'workflow_dispatch', payload, options });
    expect(code, log).toBe(0);
    expect(log).toContain(`${namespace}/expired: due`);
    expect(log).toContain(`${namespace}/closed: due`);
    expect(await there()).toEqual(named('closed', 'expired', 'open'));
  });

  it('deletes expired clusters and those of closed pull requests on its schedule', async () => {
    const { code, log } = await act.run([file], { event: 'schedule', options });
    expect(code, log).toBe(0);
    expect(log).toContain('pull request 8 is closed');
    expect(await there()).toEqual(named('open'));
  });
});
