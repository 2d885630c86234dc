import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../host/process.ts';
import type { Job, StepResult } from '../support/runner.ts';
import { expectGone } from './expect.ts';
import { jobOn, sharedHost } from './support.ts';

const namespace = 'cleanup';
const host = sharedHost();
const hour = 3_600_000;
/** The repository of a `Job`. */
const repositoryId = '1296269';

interface Row {
  readonly name: string;
  readonly result: string;
  readonly verdict: string;
  readonly reason: string;
}

/** The labels of each Cluster of the repository. */
const owner = {
  'knest-action/managed': 'true',
  'knest-action/server': 'github.com',
  'knest-action/repository-id': repositoryId,
};

/** A Cluster without infrastructure: cheap, but its finalizer, its controllers and their writes are real. */
function cluster(
  name: string,
  { labels = {}, annotations = {}, finalizers = [] }: Readonly<Record<string, object>> = {},
): object {
  return {
    apiVersion: 'cluster.x-k8s.io/v1beta2',
    kind: 'Cluster',
    metadata: {
      name,
      namespace,
      labels: present({ ...owner, ...labels }),
      annotations: present({ 'knest-action/expires-at': at(-1), ...annotations }),
      finalizers,
    },
    spec: {
      infrastructureRef: { apiGroup: 'infrastructure.cluster.x-k8s.io', kind: 'DevCluster', name },
    },
  };
}

/** Removes null values, which kubectl would turn into blank text. */
function present(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

/** The time in so many hours, RFC 3339. */
function at(hours: number): string {
  return new Date(Date.now() + hours * hour).toISOString();
}

/** Clusters that look like ours and must stay, whatever the inputs are. */
const lookAlikes: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  'knest-1-1-test-other-repository': { labels: { 'knest-action/repository-id': `${repositoryId}0` } },
  'knest-1-1-test-no-repository': { labels: { 'knest-action/repository-id': null } },
  'knest-1-1-test-other-server': { labels: { 'knest-action/server': 'ghe.example.com' } },
  'knest-1-1-test-no-server': { labels: { 'knest-action/server': null } },
  'knest-1-1-test-no-label': { labels: { 'knest-action/managed': null } },
  'knest-1-1-test-kept': { annotations: { 'knest-action/keep': 'true' } },
  'knest-1-1-test-no-time': { annotations: { 'knest-action/expires-at': 'last week' } },
  'knest-1-1-test-far': { annotations: { 'knest-action/expires-at': '2099-01-01T00:00:00Z' } },
  'knest-1-1-test-lasting': { annotations: { 'knest-action/expires-at': null } },
};

async function apply(...objects: readonly object[]): Promise<void> {
  await host.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
}

async function clustersThere(): Promise<readonly string[]> {
  const names = await host.kubectl(['get', 'clusters', '-n', namespace, '-o', 'jsonpath={.items[*].metadata.name}']);
  return names.split(' ').filter((name) => name !== '');
}

function rows({ outputs }: StepResult): readonly Row[] {
  return JSON.parse(outputs['clusters'] ?? '[]') as Row[];
}

const withResult = (result: StepResult, wanted: string) =>
  rows(result)
    .filter(({ result }) => result === wanted)
    .map(({ name }) => name);

describe('cleanup', () => {
  const ends: (() => unknown)[] = [];
  const clean = async (inputs: Readonly<Record<string, string>> = {}, env = {}, onLine?: (line: string) => void) => {
    const options = { env, ...(onLine && { onLine }) };
    const job: Job = jobOn(host, { command: 'cleanup', namespace, ...inputs }, options);
    ends.push(() => job.clean());
    return job.main();
  };
  const stays = Object.keys(lookAlikes).sort();

  beforeEach(async () => {
    await apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      ...Object.entries(lookAlikes).map(([name, changed]) => cluster(name, changed)),
    );
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
    await host.kubectl(['delete', 'clusters', '-n', namespace, '--all']);
  });
  afterAll(async () => {
    await host.kubectl(['delete', 'namespace', namespace]);
  });

  it('deletes a hundred expired clusters within seconds and no look-alike, and none with dry-run or above max-deletions', async () => {
    const due = Array.from({ length: 100 }, (_, index) => `knest-1-1-test-${String(index).padStart(3, '0')}`);
    await apply(...due.map((name) => cluster(name)));
    const everything = [...due, ...stays].sort();

    const dry = await clean({ 'dry-run': 'true', 'max-deletions': '100' });
    expect(dry.exitCode, dry.log).toBe(0);
    expect(withResult(dry, 'due').sort()).toEqual(due);
    expect(dry.log).toContain('▸ 100 of 109 clusters are due, none was deleted');
    expect(await clustersThere()).toEqual(everything);

    const refused = await clean({ 'max-deletions': '99' });
    expect(refused.exitCode).toBe(1);
    expect(refused.log).toContain(
      '✖ 100 clusters are due, more than max-deletions (99); none was deleted   KNEST_MAX_DELETIONS',
    );
    expect(await clustersThere()).toEqual(everything);

    const asked: number[] = [];
    const result = await clean({ 'max-deletions': '100' }, {}, (line) => {
      if (/^::debug::DELETE \S+ 200 /.test(line)) asked.push(performance.now());
    });
    expect(result.exitCode, result.log).toBe(0);
    expect(asked).toHaveLength(100);
    // Ten seconds on a quiet machine; two hosts and other tests share the processors here.
    expect((asked.at(-1) ?? 0) - (asked[0] ?? 0)).toBeLessThan(30_000);
    expect(withResult(result, 'deleted').sort()).toEqual(due);
    expect(withResult(result, 'kept').sort()).toEqual(stays);
    expect(await clustersThere()).toEqual(stays);
    expect(result.summary).toContain('### 100 of 109 clusters were deleted');
    expect(result.log).toMatch(/^::warning::cleanup\/knest-1-1-test-no-time is never deleted by cleanup: /m);
  });

  it('deletes the others when one cannot be deleted, and then fails', async () => {
    const policy = 'knest-cleanup-test';
    const metadata = { name: policy };
    const api = { apiVersion: 'admissionregistration.k8s.io/v1', metadata };
    const rule = { apiGroups: ['*'], apiVersions: ['*'], resources: ['clusters'], operations: ['DELETE'] };
    const matchResources = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } };
    const tried = ['delete', 'cluster', 'denied', '-n', namespace, '--dry-run=server'];
    const isDenied = async (): Promise<boolean> =>
      host.kubectl(tried).then(
        () => false,
        () => true,
      );
    ends.push(async () => {
      await host.kubectl(['delete', 'validatingadmissionpolicybinding,validatingadmissionpolicy', policy]);
      await until('the end of the policy', 180_000, async () => !(await isDenied()));
    });
    await apply(
      {
        ...api,
        kind: 'ValidatingAdmissionPolicy',
        spec: {
          matchConstraints: { resourceRules: [rule] },
          validations: [{ expression: "oldObject.metadata.name != 'denied'", message: 'it is needed' }],
        },
      },
      {
        ...api,
        kind: 'ValidatingAdmissionPolicyBinding',
        spec: { policyName: policy, validationActions: ['Deny'], matchResources },
      },
      ...['before', 'denied', 'later'].map((name) => cluster(name)),
    );
    await until('the policy', 180_000, isDenied);
    const result = await clean();
    expect(result.exitCode).toBe(1);
    expect(withResult(result, 'failed')).toEqual(['denied']);
    expect(withResult(result, 'deleted').sort()).toEqual(['before', 'later']);
    expect(result.log).toContain('✖ 1 of 3 clusters could not be deleted; the others were   KNEST_DELETE');
    expect(result.log).toMatch(/^ {2}cleanup\/denied: DELETE .* it is needed/m);
    expect(await clustersThere()).toEqual(['denied', ...stays]);
  });

  it('reports what is left at its timeout', async () => {
    await apply(cluster('held', { finalizers: ['knest.test/held'] }), cluster('quick'));
    ends.push(() =>
      host.kubectl([
        'patch',
        'cluster',
        'held',
        '-n',
        namespace,
        '--type=merge',
        '-p',
        '{"metadata":{"finalizers":[]}}',
      ]),
    );
    const result = await clean({ timeout: '20s' });
    expect(result.exitCode).toBe(1);
    expect(rows(result)).toContainEqual(expect.objectContaining({ name: 'quick', result: 'deleted' }));
    expect(rows(result)).toContainEqual(
      expect.objectContaining({
        name: 'held',
        result: 'deleting',
        reason: expect.stringContaining('left: Cluster held waits for knest.test/held') as string,
      }),
    );
  });

  it('asks GitHub which pull requests are closed, and treats an error as open', async () => {
    const script = join(import.meta.dirname, '../support/github-api.ts');
    const { command, args } = host.command([process.execPath, script, repositoryId, '1=closed', '2=open']);
    const github = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    ends.push(() => github.kill());
    const told: string[] = [];
    createInterface({ input: github.stdout }).on('line', (line) => told.push(line));
    await until('the GitHub API', 120_000, () => told.length > 0);
    const of = (name: string, number: string, annotations = {}) =>
      cluster(name, {
        labels: { 'knest-action/pull-request': number },
        annotations: { 'knest-action/expires-at': at(1), ...annotations },
      });
    await apply(
      of('closed', '1'),
      of('closed-too', '1'),
      of('closed-lasting', '1', { 'knest-action/expires-at': null }),
      of('open', '2'),
      of('unknown', '3'),
    );
    const env = { GITHUB_API_URL: told[0] ?? '' };
    const byTime = await clean({}, env);
    expect(byTime.exitCode, byTime.log).toBe(0);
    expect(withResult(byTime, 'deleted')).toEqual([]);
    const result = await clean({ 'pull-request-state': 'closed', 'github-token': 'ghs_test' }, env);
    expect(result.exitCode, result.log).toBe(0);
    expect(withResult(result, 'deleted').sort()).toEqual(['closed', 'closed-too']);
    expect(result.log).toContain('::warning::1 pull requests count as open: pull request 3: it returns 404 Not Found');
    expect(await clustersThere()).toEqual(['closed-lasting', ...stays, 'open', 'unknown']);
    // One request for each pull request, and none before pull-request-state is set.
    const paths = [1, 2, 3].map((number) => `GET /repos/octo-org/octo-repo/pulls/${number} Bearer ghs_test`);
    expect(told.slice(1).sort()).toEqual(paths);
  });

  it('deletes a cluster with its machines and everything that belongs to it', async () => {
    const inputs = { command: 'create', name: 'machines', infrastructure: 'in-memory', namespace, ephemeral: 'false' };
    const job = jobOn(host, { ...inputs, ttl: '1s' });
    ends.push(() => job.clean());
    const made = await job.main();
    expect(made.exitCode, made.log).toBe(0);
    expect(Date.parse(made.outputs['expires-at'] ?? '')).toBeLessThan(Date.now());
    const result = await clean();
    expect(result.exitCode, result.log).toBe(0);
    expect(withResult(result, 'deleted')).toEqual(['machines']);
    await expectGone(host, namespace, 'machines');
  });
});
