import { describe, expect, it } from 'vitest';
import { findAccess, firstThatWorks } from '../../../../src/cluster/access/find-access.ts';
import { nodeAddresses, routes, type Route } from '../../../../src/cluster/access/routes.ts';
import { KnestError } from '../../../../src/errors.ts';
import type { Node, Service } from '../../../../src/host/api/objects.ts';
import { clientOf, json, refuse, serve } from '../../host/server.ts';
import { rejection } from '../../rejection.ts';
import { tokenKubeconfig } from './kubeconfigs.ts';

const kubeconfig = tokenKubeconfig('https://10.1.2.3:6443');

function service(parts: Pick<Service, 'spec' | 'status'>): Service {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'pr', namespace: 'knest' }, ...parts };
}

const direct = { kind: 'cluster-ip', server: 'https://10.1.2.3:6443' };
const ports = [{ port: 6443, nodePort: 30_001 }];

/** Fails as where the credentials may not make a relay. */
const noTunnel = async (): Promise<never> =>
  Promise.reject(new KnestError({ code: 'KNEST_PERMISSION', problem: 'these credentials lack 1 permission' }));

describe('routes', () => {
  it('keep the tls-server-name of the kubeconfig', () => {
    const named = { ...kubeconfig, tlsServerName: 'api.example.com' };
    const all = routes(named, service({ spec: { ports } }), ['node-1']);
    expect(all.map(({ kind, tlsServerName }) => [kind, tlsServerName])).toEqual([
      ['cluster-ip', 'api.example.com'],
      ['node-port', 'api.example.com'],
    ]);
  });

  it('start with the most direct one, and the others verify the name in the certificate', () => {
    const balanced = service({
      spec: { type: 'LoadBalancer', ports },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } },
    });
    expect(routes(kubeconfig, balanced, ['node-1', '203.0.113.9'])).toEqual([
      direct,
      { kind: 'load-balancer', server: 'https://192.0.2.7:6443', tlsServerName: '10.1.2.3' },
      { kind: 'node-port', server: 'https://node-1:30001', tlsServerName: '10.1.2.3' },
      { kind: 'node-port', server: 'https://203.0.113.9:30001', tlsServerName: '10.1.2.3' },
    ]);
  });

  it.each([
    [{ ip: '192.0.2.7', hostname: 'lb.example.com' }, 'https://192.0.2.7:443'],
    [{ hostname: 'lb.example.com' }, 'https://lb.example.com:443'],
  ])('through a load balancer use its address, or else its name: %o', (ingress, server) => {
    const balanced = service({ spec: { ports: [{ port: 443 }] }, status: { loadBalancer: { ingress: [ingress] } } });
    expect(routes(kubeconfig, balanced, ['node-1'])).toEqual([
      direct,
      { kind: 'load-balancer', server, tlsServerName: '10.1.2.3' },
    ]);
  });

  it('through a load balancer use the default port when the Service has none', () => {
    const bare = service({ status: { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } } });
    expect(routes(kubeconfig, bare, ['node-1'])[1]?.server).toBe('https://192.0.2.7:6443');
  });

  it('are only the direct one without nodes, or while the load balancer has no address', () => {
    const pending = { spec: { type: 'LoadBalancer', ports: [{ port: 6443 }] } };
    for (const status of [{}, { loadBalancer: {} }, { loadBalancer: { ingress: [] } }]) {
      expect(routes(kubeconfig, service({ ...pending, status }), ['node-1'])).toEqual([direct]);
    }
    expect(routes(kubeconfig, service({ spec: { ports } }), [])).toEqual([direct]);
    expect(routes(kubeconfig, undefined, ['node-1'])).toEqual([direct]);
  });
});

describe('the addresses of nodes', () => {
  const node = (name: string, ready: 'True' | 'False', addresses: Readonly<Record<string, string>>): Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: {
      conditions: [{ type: 'Ready', status: ready }],
      addresses: Object.entries(addresses).map(([type, address]) => ({ type, address })),
    },
  });
  const gone = node('gone', 'False', { InternalIP: '10.0.0.1', ExternalIP: '203.0.113.1' });
  const one = node('one', 'True', { Hostname: 'one', InternalIP: '10.0.0.2' });
  const two = node('two', 'True', { InternalIP: '10.0.0.3', ExternalIP: '203.0.113.3' });

  it('are the addresses of all Ready nodes, external ones first', () => {
    expect(nodeAddresses([gone, one, two], 'api')).toEqual(['api', '203.0.113.3', '10.0.0.2', '10.0.0.3']);
  });

  it('are the addresses of all nodes when none is Ready, and only the API server without any node', () => {
    expect(nodeAddresses([gone], '10.0.0.1')).toEqual(['10.0.0.1', '203.0.113.1']);
    expect(nodeAddresses([], 'api')).toEqual(['api']);
  });
});

describe('firstThatWorks', () => {
  const many = Array.from({ length: 40 }, (_, index): Route => {
    return { kind: 'node-port', server: `https://node-${index}:30001`, tlsServerName: undefined };
  });

  it('tries all routes, and returns the first one in their order', async () => {
    const [last] = many.slice(-1);
    expect(await firstThatWorks(many, (route) => Promise.resolve(route === last ? undefined : 'no'))).toEqual({
      route: last,
    });
    const works = new Set([many[5], many[3]]);
    expect(await firstThatWorks(many, (route) => Promise.resolve(works.has(route) ? undefined : 'no'))).toEqual({
      route: many[3],
    });
  });

  it('reports for each route why it does not work', async () => {
    const found = await firstThatWorks(many, () => Promise.resolve('no'));
    expect(found).toHaveProperty('failures.length', 40);
    expect(found).toHaveProperty('failures.39', { route: many[39], problem: 'no' });
  });
});

describe('a load balancer', () => {
  /** A host that gives the Service an unreachable address on that request, or never for Infinity. */
  const access = async (from: number, signal: AbortSignal): Promise<unknown> => {
    let asked = 0;
    const { client } = await clientOf((response, _number, { path }) => {
      if (!path.endsWith('/services/pr')) {
        refuse(response, 404);
        return;
      }
      asked += 1;
      const ingress = asked < from ? [] : [{ ip: '127.0.0.1' }];
      const spec = { type: 'LoadBalancer', ports: [{ port: 1 }] };
      json(response, { metadata: { name: 'pr' }, spec, status: { loadBalancer: { ingress } } });
    });
    const handle = { name: 'pr', namespace: 'knest' };
    const inputs = { apiAccess: 'load-balancer', apiHost: 'node-1' } as const;
    return rejection(
      findAccess(
        client,
        handle,
        kubeconfig,
        inputs,
        { env: {}, signal, onWait: () => undefined, openTunnel: noTunnel },
        { seconds: 0, pause: 5, direct: 0 },
      ),
    );
  };

  it('is waited for until it has an address, longer than other routes', async () => {
    expect(await access(20, new AbortController().signal)).toMatchObject({
      code: 'KNEST_API_ACCESS',
      evidence: [expect.stringMatching(/^load-balancer https:\/\/127\.0\.0\.1:1: /)],
    });
  });

  it('is waited for without listing the nodes of the host again and again', async () => {
    const { client, received } = await clientOf((response, _number, { path }) => {
      if (path.includes('/nodes')) json(response, { metadata: { resourceVersion: '1' }, items: [] });
      else if (received.length < 40)
        json(response, { metadata: { name: 'pr' }, spec: { type: 'LoadBalancer', ports: [{ port: 1 }] } });
      else json(response, { metadata: { name: 'pr' }, spec: { type: 'ClusterIP' } });
    });
    const here = { ...kubeconfig, server: 'https://127.0.0.1:1' };
    const runtime = { env: {}, signal: new AbortController().signal, onWait: () => undefined, openTunnel: noTunnel };
    const inputs = { apiAccess: 'auto', apiHost: undefined } as const;
    const handle = { name: 'pr', namespace: 'knest' };
    const failure = await rejection(
      findAccess(client, handle, here, inputs, runtime, { seconds: 0, pause: 5, direct: 0 }),
    );
    // A ClusterIP is of no use to a job that is elsewhere, whatever node it reaches.
    expect(failure).toMatchObject({
      next: expect.stringContaining('api-access: node-port or load-balancer') as string,
    });
    expect(received.filter(({ path }) => path.includes('/nodes'))).toHaveLength(1);
    expect(received.length).toBeGreaterThan(40);
  });

  it('without an address is named at the timeout', async () => {
    const time = new AbortController();
    setTimeout(() => time.abort(new KnestError({ code: 'KNEST_TIMEOUT', problem: 'the time is up' })), 300);
    expect(await access(Number.POSITIVE_INFINITY, time.signal)).toMatchObject({
      code: 'KNEST_TIMEOUT',
      evidence: [expect.stringMatching(/^Service knest\/pr \(LoadBalancer\) has no address: /)],
    });
  });
});

describe('a tunnel', () => {
  const handle = { name: 'pr', namespace: 'knest' };
  const signal = new AbortController().signal;
  /** Nothing listens there. */
  const unreachable = { ...kubeconfig, server: 'https://127.0.0.1:1' };

  /** What is found where the nested API server answers on the far side of a tunnel alone. */
  async function find(
    apiAccess: 'auto' | 'tunnel' | 'cluster-ip',
    direct: number,
    openTunnel?: () => Promise<string>,
  ): Promise<{ readonly found: unknown; readonly opened: number; readonly notes: readonly string[] }> {
    const { client } = await clientOf((response) => refuse(response, 404));
    const nested = await serve((response) => response.end('ok'));
    let opened = 0;
    const notes: string[] = [];
    const open = async (): Promise<string> => {
      opened += 1;
      return openTunnel === undefined ? nested.url : openTunnel();
    };
    const found = await findAccess(
      client,
      handle,
      unreachable,
      { apiAccess, apiHost: undefined },
      { env: {}, signal, onWait: (line) => notes.push(line), openTunnel: open },
      { seconds: 1, pause: 5, direct },
    ).catch((thrown: unknown) => thrown);
    return { found, opened, notes };
  }

  it('is the last choice of auto, once no direct route has worked for a while, and keeps the name in the certificate', async () => {
    const { found, opened, notes } = await find('auto', 200);
    expect(found).toMatchObject({ route: { kind: 'tunnel', tlsServerName: '127.0.0.1' } });
    expect(found).toHaveProperty(
      'reason',
      expect.stringMatching(/^tunnel \(this job reaches 127\.0\.0\.1; cluster-ip/),
    );
    expect(opened).toBe(1);
    expect(notes).toEqual([]);
  });

  it('is opened at once when it is asked for, and nothing else is tried', async () => {
    const { found, opened } = await find('tunnel', 60_000);
    expect(found).toHaveProperty('reason', 'tunnel (this job reaches 127.0.0.1)');
    expect(opened).toBe(1);
  });

  it('is not opened for another choice', async () => {
    const { found, opened } = await find('cluster-ip', 0);
    expect(found).toHaveProperty('next', expect.stringContaining('use api-access: tunnel'));
    expect(found).toMatchObject({ code: 'KNEST_API_ACCESS', evidence: [expect.stringMatching(/^cluster-ip /)] });
    expect(opened).toBe(0);
  });

  it('that cannot be opened is a note under auto, and an error when it is asked for', async () => {
    const auto = await find('auto', 0, noTunnel);
    expect(auto.found).toMatchObject({
      code: 'KNEST_API_ACCESS',
      evidence: [
        expect.stringMatching(/^cluster-ip /),
        expect.stringContaining('tunnel to the host: these credentials lack'),
      ],
    });
    expect(auto.found).toHaveProperty('next', expect.not.stringContaining('api-access: tunnel'));
    expect(auto.opened).toBe(1);
    expect(auto.notes).toEqual(['no tunnel: these credentials lack 1 permission']);
    expect((await find('tunnel', 0, noTunnel)).found).toMatchObject({ code: 'KNEST_PERMISSION' });
  });
});
