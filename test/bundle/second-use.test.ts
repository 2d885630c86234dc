import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiServer } from '../support/api-server.ts';
import type { Job, StepOptions, StepResult } from '../support/runner.ts';
import { annotations, cleanUp, makeJob, startServer } from './support.ts';

afterAll(cleanUp);

const labels = {
  'knest-action/managed': 'true',
  'knest-action/server': 'github.com',
  'knest-action/repository-id': '1296269',
};

/** A host with the cluster knest/demo, whose API server is `nested`. */
async function startHost(nested: ApiServer): Promise<ApiServer> {
  const { hostname, port } = new URL(nested.url);
  const metadata = { name: 'demo', namespace: 'knest', uid: 'u', resourceVersion: '1', labels };
  const value = Buffer.from(nested.kubeconfig()).toString('base64');
  return startServer({
    isAdministrator: true,
    answer: ({ method, path }) => {
      if (method !== 'GET') return undefined;
      if (path.endsWith('/clusters/demo')) {
        const spec = { controlPlaneEndpoint: { host: hostname, port: Number(port) } };
        return { status: 200, body: { apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Cluster', metadata, spec } };
      }
      if (path.includes('/clusters?')) return { status: 200, body: { metadata: { resourceVersion: '1' }, items: [] } };
      if (path.endsWith('/secrets/demo-kubeconfig')) {
        return { status: 200, body: { apiVersion: 'v1', kind: 'Secret', metadata, data: { value } } };
      }
      return undefined;
    },
  });
}

describe('a step after one that handed over a nested cluster', () => {
  let nested: ApiServer;
  let host: ApiServer;
  let first: Job;
  let handedOver: StepResult;

  beforeAll(async () => {
    nested = await startServer({
      groups: ['apps'],
      answer: ({ path }) => (path === '/readyz' ? { status: 200, body: 'ok' } : undefined),
    });
    host = await startHost(nested);
    first = makeJob({ command: 'kubeconfig', name: 'demo', 'host-kubeconfig': host.kubeconfig() });
    handedOver = await first.main();
    expect(handedOver.exitCode, handedOver.log).toBe(0);
  }, 60_000);

  /** The step, with the files and variables of the steps before it. */
  function next(inputs: StepOptions['inputs'], env: StepOptions['env'] = {}): Job {
    host.received.length = 0;
    nested.received.length = 0;
    return makeJob(inputs, { env: { RUNNER_TEMP: first.temp, ...handedOver.env, ...env } });
  }

  it('connects to the host of the earlier step', async () => {
    const result = await next({ command: 'list', namespace: 'knest' }).main();
    expect(result.exitCode, result.log).toBe(0);
    expect(result.log).toContain(`▸ Connect            ${host.url}`);
    expect(result.log).toContain('(the host of knest/demo, whose kubeconfig is in use)');
    expect(nested.received).toEqual([]);
  });

  it('connects to that host even when other tools copied the kubeconfig', async () => {
    const file = join(first.directory, 'copied');
    writeFileSync(file, readFileSync(handedOver.outputs['kubeconfig-path'] ?? ''));
    const result = await next({ command: 'list', namespace: 'knest' }, { KUBECONFIG: `/not/there:${file}` }).main();
    expect(result.exitCode, result.log).toBe(0);
    expect(host.received).not.toEqual([]);
    expect(nested.received).toEqual([]);
  });

  it('fails when that host has no context of the given name', async () => {
    const result = await next({ command: 'list', namespace: 'knest', 'host-context': 'production' }).main();
    expect(annotations(result, 'error')).toEqual([
      'host-context: the host of knest/demo, whose kubeconfig is in use has no context "production" (KNEST_HOST_CONFIG)',
    ]);
  });

  it('is refused when there is no record of that host', async () => {
    const result = await next(
      { command: 'delete', name: 'demo' },
      { RUNNER_TEMP: join(first.directory, 'new') },
    ).main();
    expect(annotations(result, 'error')).toEqual([
      'the kubeconfig in use is that of the nested cluster knest/demo, not of a host (KNEST_HOST_CONFIG)',
    ]);
    expect(result.log).toContain('Next: pass host-kubeconfig, host-kubeconfig-file or host-server to this step');
    expect([...host.received, ...nested.received]).toEqual([]);
  });

  it.each(['delete', 'scale', 'list', 'cleanup', 'kubeconfig'])(
    'connects to the nested cluster when an input names it, and finds nothing to %s there',
    async (command) => {
      const file = handedOver.outputs['kubeconfig-path'] ?? '';
      const named = ['delete', 'scale', 'kubeconfig'].includes(command) ? { name: 'demo' } : {};
      const replicas = command === 'scale' ? { replicas: '1:1' } : {};
      const result = await next({ command, 'host-kubeconfig-file': file, ...named, ...replicas }).main();
      expect(annotations(result, 'error')).toEqual([
        `${nested.url} has no Cluster API, so this action has no clusters on it (KNEST_HOST_CONFIG)`,
      ]);
      expect(nested.writes).toEqual([]);
      expect(host.received).toEqual([]);
    },
  );

  it('keeps the copy of the credentials of the earlier step, and removes its own', async () => {
    const again = next({ command: 'kubeconfig', name: 'demo' });
    const result = await again.main();
    expect(result.exitCode, result.log).toBe(0);
    const copies = [handedOver, result].map(
      ({ state }) => (JSON.parse(state['host'] ?? '') as { hostKubeconfigFile: string }).hostKubeconfigFile,
    );
    expect(copies.map((path) => existsSync(path))).toEqual([true, true]);
    expect((await again.post()).log).toBe('');
    expect(copies.map((path) => existsSync(path))).toEqual([true, false]);
    expect((await first.post()).log).toBe('');
    expect(copies.map((path) => existsSync(path))).toEqual([false, false]);
  });
});
