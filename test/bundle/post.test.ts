import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../host/process.ts';
import type { Received } from '../support/api-server.ts';
import type { Job } from '../support/runner.ts';
import { CLUSTERCTL, startPlanningMirror } from './cluster-host.ts';
import { annotations, atFirstRequest, cleanUp, lines, makeJob, startMirror, startServer } from './support.ts';

afterAll(cleanUp);

const files = mkdtempSync(join(tmpdir(), 'knest-post-'));
afterAll(() => rmSync(files, { recursive: true }));
/** A file without any JSON in it. */
const garbage = join(files, 'garbage');
writeFileSync(garbage, '<html>');

describe('a cancelled job', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('ends at once, even when the host does not answer: %s', async (signal) => {
    const server = await startServer({ answer: () => 'silence' });
    const job = makeJob({ 'host-kubeconfig': server.kubeconfig() });
    const running = job.main();
    await until('a request', 40_000, () => server.received.length > 0);
    const began = performance.now();
    job.process?.kill(signal);
    const result = await running;
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(result).toMatchObject({ exitCode: 1, signal: null });
    expect(annotations(result, 'error')).toEqual(['the job was cancelled (KNEST_CANCELLED)']);
  });

  it('stops a running clusterctl, which the runner does not, and keeps its state', async () => {
    // Nothing is installed on the host, which lets everything be created. It keeps only the Lease.
    const server = await startServer({
      isAdministrator: true,
      answer: ({ method, body }) => (method === 'POST' && isLease(body) ? { status: 201, body } : undefined),
    });
    const job = makeJob({
      name: 'demo',
      'host-kubeconfig': server.kubeconfig(),
      ...(await startMirror((path) => (path.includes('/clusterctl-') ? CLUSTERCTL : 'kind: List'))),
    });
    const running = job.main();
    const file = join(job.temp, 'knest', 'clusterctl-runs');
    await until('clusterctl', 40_000, () => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'));
    const pid = Number(readFileSync(file, 'utf8'));
    expect(process.kill(pid, 0)).toBe(true);
    const began = performance.now();
    job.process?.kill('SIGINT');
    const result = await running;
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(annotations(result, 'error')).toEqual(['the job was cancelled (KNEST_CANCELLED)']);
    expect(result.state['cluster']).toContain('"name":"demo"');
    await until('the end of clusterctl', 5_000, () => !existsSync(`/proc/${pid}`));
  });
});

function isLease(body: unknown): body is object {
  return typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'Lease';
}

describe('the post step', () => {
  it('does and logs nothing after a main that created nothing', async () => {
    const job = makeJob({ name: 'Not_A_Name' });
    expect(await job.main()).toMatchObject({ exitCode: 1 });
    expect(await job.post()).toMatchObject({ exitCode: 0, log: '', summary: '', outputs: {} });
  });

  it('of a cancelled job requests the deletion within seconds, even when the host is slow', async () => {
    const { job, host } = await jobWithCluster({});
    const post = await job.post('cancelled');
    expect(post.exitCode, post.log).toBe(0);
    // Measured from its first request: a busy machine takes its time to start a process. Without a limit, a request
    // would wait for 30 s.
    expect((host.deletedAt ?? Number.NaN) - (host.askedAt ?? 0)).toBeLessThan(3_000);
    expect(post.log).toMatch(/^cannot read machines: .*timeout/m);
    expect(post.log.indexOf('::group::▸ Conditions')).toBeLessThan(post.log.indexOf('nothing of demo is left'));
  });

  it('of a successful job does not read the conditions first', async () => {
    const { job, host } = await jobWithCluster({});
    const post = await job.post('success');
    expect(host.deletedAt).toBeDefined();
    expect(post.log).not.toContain('Conditions');
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['an event file that is not JSON', { GITHUB_EVENT_PATH: garbage }],
    ['a directory in the place of the event file', { GITHUB_EVENT_PATH: tmpdir() }],
    ['no owner', { GITHUB_REPOSITORY: '', GITHUB_REPOSITORY_ID: '', GITHUB_SERVER_URL: '', GITHUB_RUN_ID: '' }],
    ['no directory for its files', { RUNNER_TEMP: garbage }],
  ])('needs nothing but its state: %s', async (_what, env) => {
    const { job, host } = await jobWithCluster({});
    const post = await job.post('success', env);
    expect(post.exitCode, post.log).toBe(0);
    expect(host.deletedAt, post.log).toBeDefined();
    expect(post.log).not.toContain('::warning');
  });

  it('deletes the cluster even when something crashes, and warns', async () => {
    const { job, host } = await jobWithCluster({});
    const post = await job.post('success', atFirstRequest("void Promise.reject(new Error('boom'))"));
    expect(post.exitCode, post.log).toBe(0);
    expect(host.deletedAt, post.log).toBeDefined();
    expect(annotations(post, 'error')).toEqual([]);
    expect(annotations(post, 'warning')).toEqual(['an unexpected error: boom (KNEST_INTERNAL)']);
    expect(post.log.length).toBeLessThan(20_000);
  });

  it('of a failed job does not change a kept cluster, and logs the commands for it', async () => {
    const { job, host } = await jobWithCluster({ 'keep-on-failure': 'true' });
    const post = await job.post('failure');
    expect(post.exitCode).toBe(0);
    expect(lines(post)).toEqual([
      expect.stringMatching(/^Kept: Cluster knest\/demo is still there, until 20\d\d-.*Z at the latest\.$/),
      'Look at it: kubectl describe cluster -n knest demo',
      "Reach it: kubectl get secret -n knest demo-kubeconfig -o jsonpath='{.data.value}' | base64 -d > demo.kubeconfig",
      'Delete it: kubectl delete cluster -n knest demo',
    ]);
    expect(post.summary).toContain('### demo is kept');
    expect(host.writes).toEqual([]);
  });

  it('of a cancelled job deletes the cluster even with keep-on-failure', async () => {
    const { job, host } = await jobWithCluster({ 'keep-on-failure': 'true' });
    await job.post('cancelled');
    expect(host.deletedAt).toBeDefined();
  });
});

/** A job whose main remembered a cluster, which exists from then on. The host does not answer for its machines. */
async function jobWithCluster(inputs: Readonly<Record<string, string>>): Promise<{ job: Job; host: Host }> {
  const host: Host = { isThere: false, annotations: {}, askedAt: undefined, deletedAt: undefined, writes: [] };
  const server = await startServer({ isAdministrator: true, answer: (request) => answerOf(host, request) });
  const mirror = await startPlanningMirror();
  const job = makeJob({
    name: 'demo',
    'host-kubeconfig': server.kubeconfig(),
    ...mirror,
    ...inputs,
  });
  const main = await job.main();
  expect(main.state['cluster'], main.log).toContain('"name":"demo"');
  host.annotations = {
    'knest-action/claim': (JSON.parse(main.state['cluster'] ?? '') as { claim: string }).claim,
    'knest-action/ephemeral': 'true',
  };
  host.isThere = true;
  return { job, host };
}

interface Host {
  isThere: boolean;
  /** What main would have written on the Cluster. */
  annotations: Readonly<Record<string, string>>;
  /** When the post step sent its first request, and its DELETE. Milliseconds, of performance.now(). */
  askedAt: number | undefined;
  deletedAt: number | undefined;
  readonly writes: string[];
}

function answerOf(host: Host, { method, path }: Received) {
  if (!host.isThere) return undefined;
  host.askedAt ??= performance.now();
  if (method !== 'GET') host.writes.push(`${method} ${path}`);
  if (path.includes('/machines?') && host.deletedAt === undefined) return 'silence';
  if (!path.endsWith('/clusters/demo') || host.deletedAt !== undefined) return undefined;
  if (method === 'DELETE') host.deletedAt = performance.now();
  const labels = {
    'knest-action/managed': 'true',
    'knest-action/server': 'github.com',
    'knest-action/repository-id': '1296269',
    'knest-action/run-id': '1658821493',
  };
  const metadata = {
    name: 'demo',
    namespace: 'knest',
    uid: 'u',
    resourceVersion: '1',
    labels,
    annotations: host.annotations,
  };
  return { status: 200, body: { apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Cluster', metadata } };
}
