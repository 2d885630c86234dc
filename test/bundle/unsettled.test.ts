import { afterAll, describe, expect, it } from 'vitest';
import { Kinds } from '../../src/host/api/kinds.ts';
import type { Job, StepOptions } from '../support/runner.ts';
import { clusterOf, created, startClusterHost, type ClusterHost } from './cluster-host.ts';
import { cleanUp } from './support.ts';

afterAll(cleanUp);

// Clusters that outlive their job, from their creation until a create hands them over.

const lasting = { name: 'lasting', ephemeral: 'false' };

/** A host on which a create fails at the MachineDeployment. With `then`, the host calls it and does not answer. */
async function hostThatRefuses(then?: () => void): Promise<ClusterHost> {
  return startClusterHost(({ method, path }) => {
    if (method !== 'POST' || !path.includes('/machinedeployments')) return undefined;
    then?.();
    return then === undefined ? { status: 400, body: 'refused' } : 'silence';
  });
}

function marksOf(host: ClusterHost): Readonly<Record<string, string>> {
  return clusterOf(host, 'lasting')?.metadata.annotations ?? {};
}

/** Runs a main that must fail. */
async function failed(job: Job): Promise<string> {
  const main = await job.main();
  expect(main.exitCode, main.log).not.toBe(0);
  return main.log;
}

describe('a create of a cluster that is not ephemeral', () => {
  it('deletes what it created when it fails, and logs that', async () => {
    const host = await hostThatRefuses();
    const job = host.job(lasting);
    expect(await failed(job)).toMatch(/Cleaned up: /);
    expect(host.store.of(Kinds.cluster)).toEqual([]);
    const post = await job.post('failure');
    expect(post.exitCode).toBe(0);
    expect(post.log).not.toContain('::warning');
  });

  it('leaves the deletion to the post step when the job is cancelled', async () => {
    const jobs: Job[] = [];
    const host = await hostThatRefuses(() => jobs[0]?.process?.kill('SIGINT'));
    const job = host.job(lasting);
    jobs.push(job);
    await failed(job);
    expect(host.store.of(Kinds.cluster)).toHaveLength(1);
    const post = await job.post('cancelled');
    expect(post.exitCode, post.log).toBe(0);
    expect(host.store.of(Kinds.cluster), post.log).toEqual([]);
  });

  it.each<[StepOptions['inputs'], string]>([
    [{}, 'until a provisional expiry'],
    [{ ttl: '7d' }, 'until its ttl ends'],
  ])('keeps the cluster with keep-on-failure and %o: %s', async (inputs) => {
    const host = await hostThatRefuses();
    const job = host.job({ ...lasting, ...inputs, 'keep-on-failure': 'true' });
    const log = await failed(job);
    const expiresAt = marksOf(host)['knest-action/expires-at'] ?? '';
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
    expect(log).toContain(`Kept: Cluster knest/lasting is still there, until ${expiresAt} at the latest.`);
    const post = await job.post('failure');
    expect(post.log).toContain(`Kept: Cluster knest/lasting is still there, until ${expiresAt} at the latest.`);
    expect(host.store.of(Kinds.cluster)).toHaveLength(1);
  });

  it('sets no expiry when it succeeds, and its post step leaves the cluster alone', async () => {
    const host = await startClusterHost();
    const job = host.job(lasting);
    const main = await created(job);
    expect(main.outputs['expires-at']).toBe('');
    for (const mark of ['expires-at', 'unsettled']) expect(marksOf(host)).not.toHaveProperty([`knest-action/${mark}`]);
    const sent = host.server.received.length;
    // A later step may fail: the cluster was handed over before.
    expect((await job.post('failure')).log).toContain('knest/lasting is not ephemeral: it stays');
    expect(host.server.received.length).toBe(sent);
  });

  it('keeps the requested expiry', async () => {
    const host = await startClusterHost();
    const main = await created(host.job({ ...lasting, ttl: '7d' }));
    expect(marksOf(host)).toMatchObject({ 'knest-action/expires-at': main.outputs['expires-at'] });
    expect(marksOf(host)).not.toHaveProperty(['knest-action/unsettled']);
  });

  it('that adopts a cluster and then fails leaves it as it was', async () => {
    const host = await startClusterHost(({ method, path }) =>
      // Adopting reads the objects of the cluster.
      method === 'GET' && path.includes('/kubeadmcontrolplanes/') && isAdopting
        ? { status: 400, body: 'no' }
        : undefined,
    );
    let isAdopting = false;
    await created(host.job(lasting));
    isAdopting = true;
    const job = host.job(lasting, { GITHUB_RUN_ID: '1658821999' });
    expect(await failed(job)).toContain('Kept: Cluster knest/lasting is still there.');
    await job.post('failure');
    expect(host.store.of(Kinds.cluster)).toHaveLength(1);
  });
});
