import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KubernetesClient } from '../../../src/host/api/client.ts';
import { connectPlain } from '../../../src/host/connect.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { FaultProxy, pass, type Fate, type PassingRequest } from '../../support/fault-proxy.ts';
import { rejection } from '../rejection.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const signal = new AbortController().signal;
const single = { method: 'GET', path: '/version', retries: 0 } as const;

describe('the fault proxy', () => {
  const certificate = makeCertificate();
  const heard: (string | undefined)[] = [];
  const server = createServer(certificate, (received, response) => {
    heard.push(received.url);
    expect(received.headers.authorization).toBeUndefined();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"gitVersion": "v1');
    if (received.url !== '/open') response.end('.36.3"}');
  });
  server.on('upgrade', (_request, socket: Duplex) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.pipe(socket);
  });
  let proxy: FaultProxy;
  /** A client of the proxy whose requests all have this fate, with the requests that its judge saw. */
  const clientOf = (fate: Fate): { client: KubernetesClient; seen: PassingRequest[]; answered: PassingRequest[] } => {
    const [seen, answered]: PassingRequest[][] = [[], []];
    const decide = (passing: PassingRequest): Fate => {
      seen?.push(passing);
      return fate;
    };
    const kubeconfig = proxy.admit({ decide, answered: (passing) => answered?.push(passing) });
    return { client: connectPlain(kubeconfig, signal), seen: seen ?? [], answered: answered ?? [] };
  };

  beforeAll(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const cluster = {
      server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
      'certificate-authority-data': base64(certificate.cert),
    };
    const user = { 'client-certificate-data': base64(certificate.cert), 'client-key-data': base64(certificate.key) };
    proxy = await FaultProxy.start(JSON.stringify({ clusters: [{ cluster }], users: [{ user }] }));
  });
  afterAll(async () => {
    await proxy.stop();
    server.closeAllConnections();
    server.close();
  });

  it('forwards a request, and counts how often it was sent before', async () => {
    const { client, seen, answered } = clientOf(pass);
    heard.length = 0;
    expect(await client.version()).toBe('v1.36.3');
    expect(await client.version()).toBe('v1.36.3');
    expect(heard).toEqual(['/version', '/version']);
    expect(seen.map(({ what, earlier }) => [what, earlier])).toEqual([
      ['GET /version', 0],
      ['GET /version', 1],
    ]);
    expect(answered).toEqual(seen);
  });

  it.each([
    ['request', 0],
    ['answer', 1],
    ['middle', 1],
  ] as const)('cuts at the %s: the server hears %d', async (where, times) => {
    const { client, answered } = clientOf({ kind: 'cut', where });
    heard.length = 0;
    expect(await rejection(client.rest.json(single))).toMatchObject({ code: 'KNEST_HOST_UNREACHABLE' });
    expect(heard).toHaveLength(times);
    expect(answered).toHaveLength(times);
  });

  it('responds instead of the server', async () => {
    const { client } = clientOf({ kind: 'refuse', status: 429, retryAfterSeconds: 3 });
    heard.length = 0;
    expect(await rejection(client.rest.json(single))).toMatchObject({ status: 429, retryAfterMilliseconds: 3_000 });
    expect(heard).toEqual([]);
  });

  it('does not forward a delayed request that its client has given up', async () => {
    const { client } = clientOf({ kind: 'pass', delayMilliseconds: 300 });
    heard.length = 0;
    await rejection(client.rest.json({ ...single, timeoutSeconds: 0.1 }));
    // A later request of another client arrives first, and alone.
    await clientOf({ kind: 'pass', delayMilliseconds: 600 }).client.rest.json({ ...single, path: '/later' });
    expect(heard).toEqual(['/later']);
  });

  it('forwards a stream as it arrives', async () => {
    const abort = new AbortController();
    const response = await clientOf(pass).client.rest.stream('/open', abort.signal);
    const first = (await response.body?.getReader().read()) as { readonly value?: Uint8Array } | undefined;
    expect(Buffer.from(first?.value ?? []).toString()).toBe('{"gitVersion": "v1');
    abort.abort();
  });

  it('forwards an upgrade in both directions', async () => {
    const { clusters } = JSON.parse(proxy.admit({ decide: () => pass })) as {
      clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
    };
    const { server: url, 'certificate-authority-data': ca } = clusters[0].cluster;
    const headers = { connection: 'Upgrade', upgrade: 'echo' };
    const upgrading = request(url, { ca: Buffer.from(ca, 'base64'), headers });
    upgrading.end();
    const [, socket] = (await once(upgrading, 'upgrade')) as [IncomingMessage, Duplex];
    socket.write('hello');
    expect(String((await once(socket, 'data'))[0])).toBe('hello');
    socket.destroy();
  });

  it('refuses an unknown client', async () => {
    const stranger = JSON.parse(proxy.admit({ decide: () => pass })) as { users: [{ user: { token: string } }] };
    stranger.users[0].user.token = 'another';
    expect(await rejection(connectPlain(JSON.stringify(stranger), signal).rest.json(single))).toMatchObject({
      status: 401,
    });
  });
});
