import { existsSync, statSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { refusal } from '../support/api-server.ts';
import { startPlanningMirror } from './cluster-host.ts';
import { annotations, cleanUp, lines, makeJob, runMain, startServer } from './support.ts';

afterAll(cleanUp);

describe.concurrent('a host that cannot be used', () => {
  it('refuses connections: the action gives up in time', async () => {
    const server = await startServer();
    await server.stop();
    const result = await runMain({ 'host-kubeconfig': server.kubeconfig() });
    expect(result.exitCode).toBe(1);
    expect(annotations(result, 'error')).toEqual([
      expect.stringMatching(
        /^https:\/\/127\.0\.0\.1:\d+ does not answer: .*ECONNREFUSED.* \(KNEST_HOST_UNREACHABLE\)$/,
      ),
    ]);
    expect(result.seconds).toBeLessThan(25);
  });

  it('does not answer: the action ends at its timeout', async () => {
    const server = await startServer({ answer: () => 'silence' });
    const result = await runMain({ 'host-kubeconfig': server.kubeconfig(), timeout: '2s' });
    expect(result.exitCode).toBe(1);
    expect(annotations(result, 'error')).toEqual(['timed out after 2s (KNEST_TIMEOUT)']);
    // Not the 30 s after which a request is given up and sent again.
    expect(result.seconds).toBeLessThan(20);
  });

  it('rejects the credentials', async () => {
    const server = await startServer();
    const result = await runMain({ 'host-kubeconfig': server.kubeconfig({ token: 'expired-token-1234567890' }) });
    expect(result.exitCode).toBe(1);
    expect(annotations(result, 'error')).toEqual([
      'GET /version failed with 401 Unauthorized: Unauthorized (KNEST_HOST_CREDENTIALS)',
    ]);
    expect(result.log).toContain('Next: the credentials are wrong or expired: pass fresh ones');
    expect(result.shown + result.summary).not.toContain('expired-token-1234567890');
  });

  it('has a certificate that is not trusted', async () => {
    const server = await startServer();
    const result = await runMain({ 'host-kubeconfig': server.kubeconfig({ trusted: false }) });
    expect(result.exitCode).toBe(1);
    expect(annotations(result, 'error')).toEqual([
      expect.stringMatching(/self-signed certificate.* \(KNEST_HOST_UNREACHABLE\)$/),
    ]);
    expect(result.log).toContain('Next: check certificate-authority-data and the server name in the kubeconfig');
    expect(server.received).toEqual([]);
  });

  it('forbids everything', async () => {
    const message = 'forbidden: User "ci" cannot get path "/version"';
    const server = await startServer({ answer: () => refusal(403, 'Forbidden', message) });
    const result = await runMain({ 'host-kubeconfig': server.kubeconfig() });
    expect(result.exitCode).toBe(1);
    expect(annotations(result, 'error')).toEqual([
      `GET /version failed with 403 Forbidden: ${message} (KNEST_PERMISSION)`,
    ]);
    expect(result.log).toContain('Next: grant these credentials that permission: docs/rbac/');
  });

  it('needs an OIDC token that this job may not request', async () => {
    const server = await startServer();
    const inputs = { 'host-server': server.url, 'host-oidc-audience': 'knest:host' };
    const result = await runMain(inputs);
    expect(result.exitCode).toBe(1);
    expect(annotations(result, 'error')).toEqual([
      'this job cannot request an OIDC token from GitHub, and host-server needs one (KNEST_HOST_CREDENTIALS)',
    ]);
    expect(result.log).toContain(
      'Next: give the job `permissions: id-token: write`; jobs for pull requests from forks',
    );
    expect(server.received).toEqual([]);
  });

  it('stops answering before the post step, which waits for it and then warns', { timeout: 240_000 }, async () => {
    const server = await startServer({ isAdministrator: true });
    const job = makeJob({
      name: 'demo',
      'host-kubeconfig': server.kubeconfig(),
      ...(await startPlanningMirror()),
    });
    const main = await job.main();
    expect(main.exitCode).toBe(1);
    expect(annotations(main, 'error')).toEqual([expect.stringMatching(/\(KNEST_(?:DOWNLOAD|CHECKSUM)\)$/)]);
    expect(server.writes).toEqual([]);
    expect(main.state['cluster']).toContain('"name":"demo"');
    expect(JSON.stringify(main.state)).not.toContain(server.token);
    const { hostKubeconfigFile } = JSON.parse(main.state['host'] ?? '') as { hostKubeconfigFile: string };
    expect(hostKubeconfigFile.startsWith(job.temp)).toBe(true);
    expect(existsSync(hostKubeconfigFile)).toBe(true);
    expect((statSync(hostKubeconfigFile).mode & 0o777).toString(8)).toBe('600');

    await server.stop();
    // It waits for a host that main reached, as long as it may.
    const post = await job.post();
    expect(post.exitCode).toBe(0);
    expect(post.log).toMatch(/^the API server no longer answers \(.*\); waiting for it$/m);
    expect(annotations(post, 'error')).toEqual([]);
    expect(annotations(post, 'warning')).toEqual(['timed out after 2m (KNEST_TIMEOUT)']);
    expect(post.log).toMatch(/^ +the API server has not answered for 1m\d+s: /m);
    expect(main.masks).toContain(server.token);
    expect(main.shown + post.shown + main.summary).not.toContain(server.token);
  });
});

describe.concurrent('the checks before the first write', () => {
  it('list every missing permission, and write nothing', async () => {
    const server = await startServer();
    const result = await runMain({ 'host-kubeconfig': server.kubeconfig(), namespace: 'team' });
    expect(result.exitCode).toBe(1);
    const missing = lines(result).filter((line) => line.includes(': to '));
    expect(annotations(result, 'error')).toEqual([
      `these credentials lack ${missing.length} permissions on the host (KNEST_PERMISSION)`,
    ]);
    for (const verb of ['create', 'get', 'watch', 'patch', 'delete']) {
      expect(missing).toContainEqual(expect.stringContaining(`${verb} clusters.cluster.x-k8s.io in team: to `));
    }
    expect(missing).toContain('get secrets in team: to read the kubeconfig of the cluster');
    expect(missing).toContain('create deployments.apps: to install what the host lacks');
    expect(new Set(missing).size).toBe(missing.length);
    expect(server.received.length).toBeGreaterThan(missing.length);
    expect(server.writes).toEqual([]);
    expect(result.outputs).toEqual({});
  });

  it('report a pod network that overlaps the one of the host, and write nothing', async () => {
    const server = await startServer({ podCidrs: ['10.85.0.0/24', '10.85.1.0/24'], isAdministrator: true });
    const inputs = { 'pod-network-cidr': '10.85.0.0/16', 'host-kubeconfig': server.kubeconfig() };
    const result = await runMain(inputs);
    expect(result.exitCode).toBe(1);
    expect(annotations(result, 'error')).toEqual([
      expect.stringMatching(/^1 input cannot be used; .*%0Apod-network-cidr: /),
    ]);
    expect(lines(result)).toContain(
      "pod-network-cidr: 10.85.0.0/16 overlaps the host's pods (10.85.0.0/24); for example 192.168.0.0/16",
    );
    expect(server.writes).toEqual([]);
  });
});

describe.concurrent('text from the host', () => {
  const hostile = [
    'x',
    '::set-output name=stolen::yes',
    '##[set-env name=PATH;]/tmp',
    '::add-mask::a',
    '::stop-commands::b',
  ].join('\n');
  const own = (line: string, token: string): boolean =>
    /^::(?:error|debug|group|endgroup)::/.test(line) ||
    [token, Buffer.from(token).toString('base64')].some((secret) => line === `::add-mask::${secret}`);

  it.each<[string, Parameters<typeof startServer>[0], { user?: string }]>([
    ['its version', { version: `v1.36.3${hostile}` }, {}],
    ['its refusal', { answer: () => refusal(403, `Forbidden${hostile}`, hostile) }, {}],
    ['the answer of a proxy in front of it', { answer: () => ({ status: 418, body: hostile }) }, {}],
    ['the name of a user', {}, { user: hostile }],
  ])('never becomes a workflow command: %s', async (_what, behaviour, fields) => {
    const server = await startServer(behaviour);
    const result = await runMain({ 'host-kubeconfig': server.kubeconfig(fields) });
    expect(result.exitCode).toBe(1);
    expect(result.log).toContain('set-output');
    const commands = result.log.split('\n').filter((line) => /^\s*::/.test(line));
    expect(commands.filter((line) => !own(line, server.token))).toEqual([]);
    expect(result.log).not.toContain('##[');
    expect(result.outputs).not.toHaveProperty('stolen');
  });
});
