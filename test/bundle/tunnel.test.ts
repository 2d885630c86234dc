import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { connectPlain } from '../../src/host/connect.ts';
import { Kinds } from '../../src/host/api/kinds.ts';
import type { Deployment, KubernetesObject, Metadata } from '../../src/host/api/objects.ts';
import { identify } from '../../src/runner/background.ts';
import type { SavedTunnel } from '../../src/post-state.ts';
import type { ApiServer, Received } from '../support/api-server.ts';
import { dialLocal, type Kubelet, type KubeletBehaviour } from '../support/kubelet.ts';
import { ObjectStore } from '../support/object-store.ts';
import type { Job, StepOptions, StepResult } from '../support/runner.ts';
import { annotations, cleanUp, makeJob, startServer } from './support.ts';

afterAll(cleanUp);

/** What the job cannot reach itself. The name in the certificate of the nested API server is that of its endpoint. */
const ENDPOINT = { host: '127.0.0.1', port: 1 };
const OWNED = {
  'knest-action/managed': 'true',
  'knest-action/server': 'github.com',
  'knest-action/repository-id': '1296269',
};

interface Host {
  readonly server: ApiServer;
  readonly store: ObjectStore;
  readonly kubelet: Kubelet;
  readonly nested: ApiServer;
  job(inputs?: StepOptions['inputs'], env?: StepOptions['env']): Job;
}

/** A host with a cluster whose API server is reached through the relay alone. `allows` answers reviews of permissions. */
async function startHost(
  behaviour: KubeletBehaviour = {},
  allows: (review: string) => boolean = () => true,
): Promise<Host> {
  const store = new ObjectStore();
  const nested = await startServer({ answer: () => ({ status: 200, body: 'ok' }) });
  const metadata = { name: 'demo', labels: OWNED };
  store.put({
    apiVersion: Kinds.cluster.apiVersion,
    kind: 'Cluster',
    metadata: { ...metadata, uid: 'u-1' },
    spec: { controlPlaneEndpoint: ENDPOINT },
  } as KubernetesObject);
  const kubeconfig = nested.kubeconfig().replace(nested.url, `https://${ENDPOINT.host}:${ENDPOINT.port}`);
  const data = { value: Buffer.from(kubeconfig).toString('base64') };
  store.put({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'demo-kubeconfig' }, data } as KubernetesObject);
  putRelayPod(store, 'demo-relay-1');
  const answer = ({ method, path, body }: Received) => {
    if (path.endsWith('/selfsubjectaccessreviews')) {
      const { spec } = body as { spec: { resourceAttributes: Record<string, string> } };
      const { verb, resource, subresource = '' } = spec.resourceAttributes;
      return { status: 201, body: { status: { allowed: allows(`${verb} ${resource}/${subresource}`) } } };
    }
    return method === 'GET' && path === '/apis' ? undefined : store.answer({ method, path, body });
  };
  const server = await startServer({ answer });
  const kubelet = server.forwardPorts(dialLocal(Number(new URL(nested.url).port)), behaviour);
  const common = {
    command: 'kubeconfig',
    name: 'demo',
    'api-access': 'tunnel',
    'host-kubeconfig': server.kubeconfig(),
  };
  return { server, store, kubelet, nested, job: (inputs = {}, env = {}) => makeJob({ ...common, ...inputs }, { env }) };
}

function putRelayPod(store: ObjectStore, name: string): void {
  putPod(store, { name, labels: { 'knest-action/relay': 'true', 'knest-action/cluster-uid': 'u-1' } });
}

function putPod(store: ObjectStore, metadata: Metadata): void {
  const status = { conditions: [{ type: 'Ready', status: 'True' }] };
  store.put({ apiVersion: 'v1', kind: 'Pod', metadata, status } as KubernetesObject);
}

function tunnelOf({ state }: StepResult): SavedTunnel {
  return JSON.parse(state['tunnel'] ?? '') as SavedTunnel;
}

/** What the nested API server answers to a client with the kubeconfig of the job. */
async function readyz({ outputs }: StepResult): Promise<string> {
  const text = readFileSync(outputs['kubeconfig-path'] ?? '', 'utf8');
  const { rest } = connectPlain(text, AbortSignal.timeout(20_000));
  return rest.text({ method: 'GET', path: '/readyz', retries: 0 });
}

async function started(job: Job): Promise<StepResult> {
  const main = await job.main();
  expect(main.exitCode, main.log).toBe(0);
  return main;
}

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

describe('registry: true', () => {
  it('gives a later job the registry on the port that it has in all jobs, until the post step', async () => {
    const host = await startHost();
    const port = await freePort();
    const cluster = host.store.find(Kinds.cluster, 'demo');
    if (cluster === undefined) throw new Error('the Cluster is missing');
    const annotations = { 'knest-action/registry-port': String(port) };
    host.store.put({ ...cluster, metadata: { ...cluster.metadata, annotations } });
    const labels = { 'knest-action/registry': 'true', 'knest-action/cluster-uid': 'u-1' };
    putPod(host.store, { name: 'demo-registry-1', labels });
    const job = host.job({ registry: 'true' });
    const main = await started(job);
    expect(main.outputs['registry']).toBe(`localhost:${port}`);
    expect(await readyz(main)).toBe('ok');
    const client = connect(port, '127.0.0.1');
    client.on('error', () => undefined);
    const path = expect.stringMatching(/pods\/demo-registry-1\/portforward\?ports=5001$/) as string;
    await vi.waitFor(() => expect(host.kubelet.forwarded).toContainEqual(path), { timeout: 20_000 });
    // The host has replaced the pod, whose images are gone.
    putPod(host.store, { name: 'demo-registry-2', labels, creationTimestamp: '2026-01-01T00:00:00Z' });
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
    await vi.waitFor(async () => expect(await freePort(port)).toBe(port));
  });

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
