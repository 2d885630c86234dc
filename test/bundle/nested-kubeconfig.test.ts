import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import type { ApiServer } from '../support/api-server.ts';
import type { Job } from '../support/runner.ts';
import { annotations, cleanUp, makeJob, startServer } from './support.ts';

afterAll(cleanUp);

interface Kubeconfig {
  clusters: [{ name: string; cluster: Record<string, unknown> }];
  users: [{ name: string; user: Record<string, unknown> }];
  contexts: [{ name: string; context: object }];
}

/** A job that fetches the kubeconfig of a cluster, whose Secret holds what `change` makes of a good one. */
async function jobFor(change: (kubeconfig: Kubeconfig, job: Job) => string): Promise<{ job: Job; nested: ApiServer }> {
  const nested = await startServer({ answer: () => ({ status: 200, body: 'ok' }) });
  const holder: { text: string } = { text: '' };
  const { hostname, port } = new URL(nested.url);
  const host = await startServer({
    isAdministrator: true,
    answer: ({ method, path }) => {
      if (method !== 'GET') return undefined;
      const metadata = {
        name: 'demo',
        namespace: 'knest',
        uid: 'u',
        resourceVersion: '1',
        labels: {
          'knest-action/managed': 'true',
          'knest-action/server': 'github.com',
          'knest-action/repository-id': '1296269',
        },
      };
      if (path.endsWith('/clusters/demo')) {
        const spec = { controlPlaneEndpoint: { host: hostname, port: Number(port) } };
        return { status: 200, body: { apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Cluster', metadata, spec } };
      }
      if (!path.endsWith('/secrets/demo-kubeconfig')) return undefined;
      const value = Buffer.from(holder.text).toString('base64');
      return { status: 200, body: { apiVersion: 'v1', kind: 'Secret', metadata, data: { value } } };
    },
  });
  const job = makeJob({ command: 'kubeconfig', name: 'demo', 'host-kubeconfig': host.kubeconfig() });
  const good = JSON.parse(nested.kubeconfig()) as Kubeconfig;
  good.contexts[0].context = { cluster: good.clusters[0].name, user: good.users[0].name };
  holder.text = change(good, job);
  return { job, nested };
}

describe('the kubeconfig of a nested cluster', () => {
  it('runs no program, and passes none on to later steps', async () => {
    const { job } = await jobFor((kubeconfig, { temp }) => {
      kubeconfig.users[0].user['exec'] = {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: 'sh',
        args: ['-c', `env > ${join(temp, 'ran')}`],
        interactiveMode: 'Never',
      };
      return JSON.stringify(kubeconfig);
    });
    const result = await job.main();
    expect(annotations(result, 'error')).toEqual([
      'cannot use the kubeconfig in Secret knest/demo-kubeconfig: users[0].user.exec is not allowed (KNEST_API_ACCESS)',
    ]);
    expect(existsSync(join(job.temp, 'ran'))).toBe(false);
    expect(existsSync(join(job.temp, 'knest/demo.kubeconfig'))).toBe(false);
    expect(result.env).toEqual({});
  });

  it('sends no file of the runner, and nothing to another address', async () => {
    const seen: unknown[] = [];
    const other = createServer((request, response) => {
      seen.push(request.headers);
      response.end('ok');
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { job } = await jobFor((kubeconfig, { temp }) => {
      const file = join(temp, 'file');
      writeFileSync(file, 'secret-of-the-runner');
      kubeconfig.clusters[0].cluster = { server: `http://127.0.0.1:${(other.address() as AddressInfo).port}` };
      kubeconfig.users[0].user = { tokenFile: file, 'token-file': file };
      return JSON.stringify(kubeconfig);
    });
    const result = await job.main();
    expect(result.exitCode).toBe(1);
    expect(result.log).toContain('users[0].user.tokenFile is not allowed');
    expect(result.log).toContain("its server is not the Cluster's controlPlaneEndpoint");
    expect(seen).toEqual([]);
  });

  it('is not quoted when it is not valid YAML', async () => {
    const { job } = await jobFor(() => 'users:\n- user: {token: "quoted-secret-5e6f');
    const result = await job.main();
    expect(annotations(result, 'error')).toEqual([
      expect.stringMatching(/knest\/demo-kubeconfig: it is not valid YAML in line \d+ \(\w+\) \(KNEST_API_ACCESS\)$/),
    ]);
    expect(result.log + result.summary).not.toContain('quoted-secret');
  });

  it('is rebuilt, without any other text, before later steps get it', async () => {
    const { job, nested } = await jobFor(
      (kubeconfig) => `# a comment\n${JSON.stringify({ ...kubeconfig, preferences: {} })}`,
    );
    const result = await job.main();
    expect(result.exitCode, result.log).toBe(0);
    const text = readFileSync(join(job.temp, 'knest/demo.kubeconfig'), 'utf8');
    expect(text).not.toContain('comment');
    const { users, clusters } = parse(text) as Kubeconfig;
    expect(users).toEqual([{ name: 'demo-admin', user: { token: nested.token } }]);
    expect(clusters[0].cluster['server']).toBe(nested.url);
    expect(result.masks).toContain(nested.token);
  });
});
