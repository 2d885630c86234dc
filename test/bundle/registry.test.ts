import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { Kinds } from '../../src/host/api/kinds.ts';
import { identify } from '../../src/runner/background.ts';
import { tunnelOf } from '../support/saved-tunnel.ts';
import { annotations, cleanUp } from './support.ts';
import { putPod, readyz, startHost, started, type Host } from './tunnel-host.ts';

afterAll(cleanUp);

/** The labels of the pods of the registry. */
const REGISTRY_LABELS = { 'knest-action/registry': 'true', 'knest-action/cluster-uid': 'u-1' };

/** A host with a cluster that has a registry, and its port. `firstPod`: the uid of the pod that it was created with. */
async function startRegistryHost(firstPod = 'r-1'): Promise<Host & { readonly port: number }> {
  const host = await startHost();
  const port = await freePort();
  const cluster = host.store.find(Kinds.cluster, 'demo');
  if (cluster === undefined) throw new Error('the Cluster is missing');
  const marks = { 'knest-action/registry-port': String(port), 'knest-action/registry-pod': firstPod };
  host.store.put({ ...cluster, metadata: { ...cluster.metadata, annotations: marks } });
  const creationTimestamp = '2025-12-31T23:59:59Z';
  putPod(host.store, { name: 'demo-registry-1', uid: 'r-1', labels: REGISTRY_LABELS, creationTimestamp });
  return { ...host, port };
}

describe('registry: true', () => {
  it('gives a later job the registry on the port that it has in all jobs, until the post step', async () => {
    const host = await startRegistryHost();
    const { port } = host;
    const job = host.job({ registry: 'true' });
    const main = await started(job);
    expect(main.outputs['registry']).toBe(`localhost:${port}`);
    expect(annotations(main, 'warning')).toEqual([]);
    expect(await readyz(main)).toBe('ok');
    const client = connect(port, '127.0.0.1');
    client.on('error', () => undefined);
    const path = expect.stringMatching(/pods\/demo-registry-1\/portforward\?ports=5001$/) as string;
    await vi.waitFor(() => expect(host.kubelet.forwarded).toContainEqual(path), { timeout: 20_000 });
    // The host has replaced the pod, whose images are gone.
    putPod(host.store, { name: 'demo-registry-2', labels: REGISTRY_LABELS, creationTimestamp: '2026-01-01T00:00:00Z' });
    host.kubelet.cut();
    const { log } = tunnelOf(main);
    const restarted = '✖ the registry restarted as pod demo-registry-2 and is empty: push the images again';
    const next = (): void => {
      // The tunnel may not have noticed the end of the first connection yet.
      const socket = connect(port, '127.0.0.1', () => socket.destroy()).on('error', () => undefined);
      expect(readFileSync(log, 'utf8')).toContain(restarted);
    };
    await vi.waitFor(next, { timeout: 20_000, interval: 200 });
    client.destroy();
    const post = await job.post();
    expect(post.exitCode, post.log).toBe(0);
    expect(identify(tunnelOf(main).pid)).toBeUndefined();
    await vi.waitFor(async () => expect(await freePort(port)).toBe(port), { timeout: 20_000 });
  });

  it('is shared by the steps of a job: the post step of the one that started the tunnel ends it', async () => {
    const host = await startRegistryHost();
    const job = host.job({ registry: 'true' });
    const main = await started(job);
    const later = host.job({ registry: 'true' }, { RUNNER_TEMP: job.temp });
    const second = await started(later);
    expect(second.outputs).toMatchObject({ registry: `localhost:${host.port}`, server: main.outputs['server'] });
    expect(await readyz(second)).toBe('ok');
    expect((await later.post()).exitCode).toBe(0);
    expect(await readyz(main)).toBe('ok');
    const { pid, startTime } = tunnelOf(main);
    expect(identify(pid)?.startTime).toBe(startTime);
    expect((await job.post()).exitCode).toBe(0);
    expect(identify(pid)).toBeUndefined();
    // One that has ended is not used any more.
    const third = host.job({ registry: 'true' }, { RUNNER_TEMP: job.temp });
    expect(await readyz(await started(third))).toBe('ok');
    await third.post();
  });

  it('may have restarted since the cluster was created: a later job is warned that images are gone', async () => {
    const host = await startRegistryHost('r-0');
    const job = host.job({ registry: 'true' });
    const main = await started(job);
    expect(annotations(main, 'warning')).toEqual([
      'the registry restarted at 2025-12-31T23:59:59Z: images that were pushed before are gone, push them again',
    ]);
    await job.post();
  });

  it.each([
    ['is missing', undefined],
    ['has 10.96.0.8', '10.96.0.8'],
  ])(
    'is refused when its Service %s, since the nodes of the cluster keep the address that it had',
    async (state, clusterIP) => {
      const host = await startRegistryHost();
      const cluster = host.store.find(Kinds.cluster, 'demo');
      if (cluster === undefined) throw new Error('the Cluster is missing');
      const { metadata } = cluster;
      const noted = { ...metadata.annotations, 'knest-action/registry-address': '10.96.0.7' };
      host.store.put({ ...cluster, metadata: { ...metadata, annotations: noted } });
      if (clusterIP !== undefined) {
        const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'demo-registry' }, spec: { clusterIP } };
        host.store.put(service);
      }
      const job = host.job({ registry: 'true' });
      const main = await job.main();
      expect(main.log).toContain('they look for the registry at 10.96.0.7   KNEST_REGISTRY');
      expect(main.log).toContain(`/demo-registry ${state}\n`);
      await job.post();
    },
  );

  it('is refused for a cluster that was created without one', async () => {
    const host = await startHost();
    const job = host.job({ registry: 'true' });
    const main = await job.main();
    expect(main.log).toContain('was created without a registry, and its nodes would not find one');
    expect(main.log).toContain('KNEST_INPUT');
    expect(host.server.writes).toEqual([]);
    await job.post();
  });
});

/** A port of 127.0.0.1 on which nobody listens; that one, if it is given. */
async function freePort(wanted = 0): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(wanted, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
