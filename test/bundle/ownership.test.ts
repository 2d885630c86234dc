import { afterAll, describe, expect, it } from 'vitest';
import { Kinds } from '../../src/host/api/kinds.ts';
import type { KubernetesObject } from '../../src/host/api/objects.ts';
import { clusterOf, created, startClusterHost, type ClusterHost } from './cluster-host.ts';
import { refusal } from '../support/api-server.ts';
import { cleanUp } from './support.ts';

afterAll(cleanUp);

const SECOND_ATTEMPT = { GITHUB_RUN_ATTEMPT: '2' };

describe('a cluster that this step did not claim', () => {
  it('stays after the post step of a refused create in the same run', async () => {
    const host = await startClusterHost();
    await created(host.job({ name: 'shared', ephemeral: 'false' }));
    const before = clusterOf(host, 'shared');
    const refused = host.job({ name: 'shared' });
    const main = await refused.main();
    expect(main.exitCode).toBe(1);
    expect(main.log).toMatch(/it is not ephemeral.* {3}KNEST_OWNED_BY_OTHER$/m);
    const post = await refused.post('failure');
    expect(post.exitCode, post.log).toBe(0);
    expect(post.log).not.toMatch(/::warning|Conditions/);
    expect(clusterOf(host, 'shared')).toEqual(before);
  });

  it('stays after the post step of a create that another job overtakes at the last moment', async () => {
    const cluster = { apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Cluster', metadata: { name: 'raced' } };
    const host = await startClusterHost(({ method, path }) => {
      if (method === 'POST' && /\/clusters\?/.test(path) && clusterOf(host, 'raced') === undefined)
        host.store.put(cluster);
      return undefined;
    });
    const other = host.job({ name: 'raced' });
    const main = await other.main();
    expect(main.log).toMatch(/KNEST_OWNED_BY_OTHER$/m);
    expect(main.state['cluster']).toContain('"claim":');
    const post = await other.post('failure');
    expect(post.exitCode, post.log).toBe(0);
    expect(post.log).toContain('knest/raced stays: this step did not claim it: ');
    expect(post.log).not.toMatch(/::warning|Conditions/);
    expect(clusterOf(host, 'raced')?.metadata.name).toBe('raced');
  });

  it('stays after the post step of a create that fails before it claims anything', async () => {
    let isFailing = false;
    const host = await startClusterHost(({ method, path }) =>
      isFailing && method !== 'GET' && path.includes('/clusters') ? refusal(403, 'Forbidden', 'not now') : undefined,
    );
    await created(host.job({ name: 'shared', ephemeral: 'false' }));
    const before = clusterOf(host, 'shared');
    isFailing = true;
    const failing = host.job({ name: 'shared', ephemeral: 'false' });
    const main = await failing.main();
    expect(main.exitCode).toBe(1);
    expect(main.state['cluster']).toContain('"claim":');
    isFailing = false;
    await failing.post('failure');
    expect(clusterOf(host, 'shared')).toEqual(before);
  });

  it('stays after the post step of a create that adopts it and then fails', async () => {
    const host = await startClusterHost();
    await created(host.job({ name: 'shared', ephemeral: 'false' }));
    const inputs = { name: 'shared', ephemeral: 'false', 'wait-for': 'control-plane', timeout: '3s' };
    const failing = host.job(inputs, { GITHUB_RUN_ID: '2' });
    expect((await failing.main()).log).toMatch(/KNEST_TIMEOUT$/m);
    const before = clusterOf(host, 'shared');
    const post = await failing.post('failure');
    expect(post.log).toContain('knest/shared stays: it existed before this step, which adopted it');
    expect(clusterOf(host, 'shared')).toEqual(before);
  });

  it('stays when a later attempt has adopted it', async () => {
    const host = await startClusterHost();
    const first = host.job({ name: 'lost' });
    await created(first);
    await created(host.job({ name: 'lost' }, SECOND_ATTEMPT));
    const post = await first.post('success');
    expect(post.exitCode, post.log).toBe(0);
    expect(clusterOf(host, 'lost')?.metadata.annotations?.['knest-action/run-attempt']).toBe('2');
  });

  it('stays when another job adopts it right before the DELETE of the post step', async () => {
    let deletes = 0;
    const host: ClusterHost = await startClusterHost(({ method, path }) => {
      if (method !== 'DELETE' || !path.includes('/clusters/lost')) return undefined;
      deletes += 1;
      const cluster = clusterOf(host, 'lost');
      if (cluster === undefined || deletes > 1) return undefined;
      const marks = { ...cluster.metadata.annotations, 'knest-action/claim': 'of-another' };
      host.store.put({ ...cluster, metadata: { ...cluster.metadata, annotations: marks } });
      return undefined;
    });
    const job = host.job({ name: 'lost' });
    await created(job);
    await job.post('success');
    expect(deletes).toBe(1);
    expect(clusterOf(host, 'lost')).toBeDefined();
  });
});

describe('a cluster that this step claimed', () => {
  it('is deleted by its post step, with preconditions on uid and resource version', async () => {
    const host = await startClusterHost();
    const job = host.job({ name: 'mine' });
    const main = await created(job);
    const { metadata } = clusterOf(host, 'mine') as KubernetesObject;
    expect(JSON.parse(main.state['cluster'] ?? '')).toMatchObject({
      claim: metadata.annotations?.['knest-action/claim'],
    });
    const post = await job.post('success');
    expect(post.exitCode, post.log).toBe(0);
    const { uid, resourceVersion } = metadata;
    const deletes = host.server.writes.filter(({ method }) => method === 'DELETE');
    expect(deletes.map(({ body }) => body)).toEqual([
      { propagationPolicy: 'Background', preconditions: { uid, resourceVersion } },
    ]);
    expect(host.store.of(Kinds.cluster)).toEqual([]);
  });
});

describe('a generated name', () => {
  it('differs between two uses of the action that look the same, such as two calls of one reusable workflow', async () => {
    const host = await startClusterHost();
    const [one, other] = [host.job(), host.job()];
    const [first, second] = [await created(one), await created(other)];
    expect(first.outputs['name']).toMatch(/^knest-1658821493-1-test-[0-9a-f]{8}$/);
    expect(second.outputs['name']).not.toBe(first.outputs['name']);
    expect([first, second].map(({ outputs }) => outputs['created'])).toEqual(['true', 'true']);
    await one.post('success');
    expect(host.store.of(Kinds.cluster).map(({ metadata }) => metadata.name)).toEqual([second.outputs['name']]);
  });
});

describe('a cluster that this action did not create', () => {
  const foreign = { apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Cluster', metadata: { name: 'by-hand' } };
  const COMMAND =
    /kubectl label clusters\.cluster\.x-k8s\.io by-hand --namespace knest ((?:knest-action\/[\w-]+=[\w.]+ ?){3})/;

  it.each([
    { command: 'kubeconfig' },
    { command: 'delete' },
    { command: 'scale', replicas: '3:1' },
    { command: 'upgrade', 'kubernetes-version': '1.35.2' },
    { command: 'create' },
  ])('is refused to %o, with the command with which its owner hands it over', async (inputs) => {
    const host = await startClusterHost();
    const before = host.store.put(foreign);
    const refused = await host.job({ name: 'by-hand', ...inputs }).main();
    expect(refused.exitCode).toBe(1);
    expect(refused.log).toContain('KNEST_OWNED_BY_OTHER');
    expect(refused.log).toMatch(COMMAND);
    expect(clusterOf(host, 'by-hand')).toEqual(before);
  });

  it('is deleted like any other once it has the labels from that command', async () => {
    const host = await startClusterHost();
    host.store.put(foreign);
    const inputs = { command: 'delete', name: 'by-hand' };
    const [, marks = ''] = COMMAND.exec((await host.job(inputs).main()).log) ?? [];
    const labels = Object.fromEntries(
      marks
        .trim()
        .split(' ')
        .map((mark) => mark.split('=') as [string, string]),
    );
    host.store.put({ ...foreign, metadata: { ...foreign.metadata, labels } });
    const deleted = await host.job(inputs).main();
    expect(deleted.exitCode, deleted.log).toBe(0);
    expect(clusterOf(host, 'by-hand')).toBeUndefined();
  });
});
