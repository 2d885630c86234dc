import { afterAll, describe, expect, it } from 'vitest';
import { Labels } from '../../src/cluster/identity/identity.ts';
import { Kinds } from '../../src/host/api/kinds.ts';
import type { KubernetesObject } from '../../src/host/api/objects.ts';
import type { Received } from '../support/api-server.ts';
import type { ObjectStore } from '../support/object-store.ts';
import { clusterOf, created, startClusterHost, type ClusterHost } from './cluster-host.ts';
import { annotations, cleanUp, lines } from './support.ts';

afterAll(cleanUp);

const POOL = { command: 'pool', pool: 'small', timeout: '5m' };

describe('command: pool in a run for a pull request', () => {
  it.each([
    ['by its event', {}, { GITHUB_REF: 'refs/pull/7/merge' }],
    ['by the input', { 'pull-request': '7' }, {}],
  ])('is refused before any request to the host: %s', async (_how, inputs, env) => {
    const host = await startClusterHost();
    const job = host.job({ ...POOL, ...inputs }, env);
    const main = await job.main();
    expect(main.exitCode).toBe(1);
    expect(annotations(main, 'error')).toEqual([
      expect.stringMatching(/^1 input cannot be used; nothing was created \(KNEST_INPUT\)/),
    ]);
    expect(lines(main)).toContain(
      'command: is pool, which cannot run for a pull request (this run is for 7): other jobs trust its clusters with secrets',
    );
    expect((await job.post()).exitCode).toBe(0);
    expect(host.server.received).toEqual([]);
  });
});

describe('filling a pool', () => {
  /** A host whose clusters are ready as soon as the action waits for them. */
  async function startQuickHost(): Promise<ClusterHost> {
    const host: ClusterHost = await startClusterHost(({ path }) => {
      if (/\/clusters\?.*fieldSelector=/.test(path)) completeClusters(host.store);
      return undefined;
    });
    return host;
  }

  function completeClusters(store: ObjectStore): void {
    for (const cluster of store.of<KubernetesObject>(Kinds.cluster)) {
      if ('status' in cluster) continue;
      store.put(withTrue(cluster, 'ControlPlaneInitialized'));
      const { name, namespace = '' } = cluster.metadata;
      for (const role of ['cp', 'md-0']) {
        const labels = { [Labels.clusterName]: name };
        const { apiVersion, kind } = Kinds.machine;
        const machine = { apiVersion, kind, metadata: { name: `${name}-${role}`, namespace, labels } };
        store.put(withTrue(machine, 'NodeReady', { nodeRef: { name: machine.metadata.name } }));
      }
    }
  }

  /** The object with a condition that is true, and more of its status. */
  function withTrue(object: KubernetesObject, type: string, more: object = {}): KubernetesObject {
    const status = { ...more, conditions: [{ type, status: 'True' }] };
    return { ...object, status } as KubernetesObject;
  }

  /** The reads of Secrets that may be those of a cluster: from when it exists. */
  function secretsReadFrom(requests: readonly Received[], cluster: string): readonly string[] {
    const isCreation = ({ method, body }: Received): boolean =>
      method === 'POST' && (body as Partial<KubernetesObject>).metadata?.name === cluster;
    const since = requests.slice(requests.findIndex(isCreation));
    return since.map(({ path }) => path).filter((path) => path.includes(`/secrets/${cluster}`));
  }

  it('never reads the kubeconfig of a cluster that it makes, and leaves each to be claimed', async () => {
    const host = await startQuickHost();
    const names = ['small-slot-1', 'small-slot-2'];
    const job = host.job({ ...POOL, size: '2' });
    const main = await created(job);
    expect(main.log).toContain('▸ Wait for clusters');
    expect(main.log).toContain('✔ The pool small has 2 of 2 clusters ready after ');
    expect(names.map((name) => secretsReadFrom(host.server.received, name))).toEqual([[], []]);
    expect((await job.post()).exitCode).toBe(0);
    for (const name of names) {
      expect(clusterOf(host, name)?.metadata.labels).toMatchObject({ 'knest-action/pool': 'small' });
    }
    const listed = JSON.parse(main.outputs['clusters'] ?? '') as readonly object[];
    expect(listed).toMatchObject(names.map((name) => ({ name, pool: 'small', condition: 'ready' })));
  });

  it('hands no free cluster to a create by its name', async () => {
    const host = await startQuickHost();
    await created(host.job(POOL));
    const before = clusterOf(host, 'small-slot-1');
    const main = await host.job({ name: 'small-slot-1', ephemeral: 'false' }).main();
    expect(main.exitCode).toBe(1);
    expect(main.log).toMatch(/already exists, and it is a free member of the pool small {3}KNEST_OWNED_BY_OTHER$/m);
    expect(clusterOf(host, 'small-slot-1')).toEqual(before);
  });
});
