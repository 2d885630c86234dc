import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { Kinds } from '../../src/host/api/kinds.ts';
import type { Deployment } from '../../src/host/api/objects.ts';
import { identify } from '../../src/runner/background.ts';
import { tunnelOf } from '../support/saved-tunnel.ts';
import { annotations, cleanUp } from './support.ts';
import { readyz, startHost, started } from './tunnel-host.ts';

afterAll(cleanUp);

describe('api-access: tunnel', () => {
  it('gives the job a kubeconfig that works until its post step, which ends the tunnel and nothing else', async () => {
    const host = await startHost();
    const job = host.job();
    const main = await started(job);
    expect(main.outputs['server']).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(main.log).toContain('tunnel (this job reaches 127.0.0.1); answers');
    expect(await readyz(main)).toBe('ok');
    const tunnel = tunnelOf(main);
    expect(identify(tunnel.pid)?.startTime).toBe(tunnel.startTime);
    const relay = host.store.find<Deployment>(Kinds.deployment, 'demo-relay');
    expect(relay?.metadata.ownerReferences).toEqual([expect.objectContaining({ kind: 'Cluster', uid: 'u-1' })]);
    const writes = host.server.writes.length;
    const post = await job.post();
    expect(post.exitCode, post.log).toBe(0);
    expect(identify(tunnel.pid)).toBeUndefined();
    expect(host.server.writes).toHaveLength(writes);
    await expect(readyz(main)).rejects.toThrow('ECONNREFUSED');
  });

  it('shows no secret in its command line, its log, or the environment for plugins', async () => {
    const host = await startHost();
    const job = host.job({}, { RUNNER_TRACKING_ID: 'github_1' });
    const main = await started(job);
    const { pid, log, settingsFile } = tunnelOf(main);
    const shown = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8')).join('\0');
    expect(shown).toContain('RUNNER_TRACKING_ID=github_1');
    expect(shown).not.toMatch(/INPUT_/i);
    const files = readFileSync(log, 'utf8') + readFileSync(settingsFile, 'utf8');
    for (const secret of [host.server.token, host.nested.token]) expect(shown + files).not.toContain(secret);
    await job.post();
  });

  it('heals: after a cut, and while the API server is away for a moment, the next connection works', async () => {
    let refusals = 0;
    const host = await startHost({
      refuse: () => (refusals-- > 0 ? 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n' : undefined),
    });
    const job = host.job();
    const main = await started(job);
    host.kubelet.cut();
    expect(await readyz(main)).toBe('ok');
    refusals = 2;
    expect(await readyz(main)).toBe('ok');
    await job.post();
  });

  it('tells a failed job the last problems of its tunnel', async () => {
    const host = await startHost();
    const job = host.job();
    const main = await started(job);
    host.kubelet.dial = () => undefined;
    await expect(readyz(main)).rejects.toThrow();
    const post = await job.post('failure');
    expect(post.log).toContain('Last problems of the tunnel (1 in all)');
    expect(post.log).toContain('failed to connect to localhost:6443 inside namespace: connection refused');
  });

  it('reaches the host through the proxy of its kubeconfig', async () => {
    const tunnels: string[] = [];
    const proxy = createServer().on('connect', ({ url = '' }, client: Socket) => {
      tunnels.push(url);
      const remote = connect(Number(url.split(':')[1]), '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
      client.pipe(remote).pipe(client);
      for (const socket of [client, remote]) socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const host = await startHost();
    const text = host.server.kubeconfig();
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const proxied = text.replace('"server":', `"proxy-url":"${address}","server":`);
    const job = host.job({ 'host-kubeconfig': proxied });
    const main = await started(job);
    const before = tunnels.length;
    // The first one may use a connection that is there already.
    for (let round = 0; round < 3; round++) expect(await readyz(main)).toBe('ok');
    expect(tunnels.length).toBeGreaterThan(before);
    await job.post();
    proxy.close();
  });

  it('lists the permissions that are missing for it, each with its verb', async () => {
    const host = await startHost({}, (review) => !/^\* |portforward/.test(review));
    const main = await host.job().main();
    expect(annotations(main, 'error')).toEqual(['these credentials lack 2 permissions on the host (KNEST_PERMISSION)']);
    for (const verb of ['get', 'create'])
      expect(main.log).toContain(`${verb} pods/portforward in knest: to connect to the relay of the tunnel`);
    expect(host.server.writes).toEqual([]);
  });

  it('never takes over a Deployment that others made under the name of the relay', async () => {
    const host = await startHost();
    const theirs = host.store.put({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'demo-relay' } });
    const job = host.job();
    const main = await job.main();
    expect(main.log).toContain('KNEST_OWNED_BY_OTHER');
    expect(host.store.find(Kinds.deployment, 'demo-relay')).toEqual(theirs);
    await job.post();
  });
});

describe('api-access: auto', () => {
  it('uses a tunnel when no other route works', async () => {
    const host = await startHost();
    const job = host.job({ 'api-access': 'auto' });
    const main = await started(job);
    expect(main.log).toMatch(/tunnel \(this job reaches 127\.0\.0\.1; cluster-ip(, node-port)? did not answer\)/);
    expect(await readyz(main)).toBe('ok');
    await job.post();
  });
});
