import { createServer, type Server } from 'node:http';
import { connect, createServer as createProxy, type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { KubernetesClient } from '../../../src/host/api/client.ts';
import { RestClient } from '../../../src/host/api/rest.ts';
import { Transport } from '../../../src/host/api/transport.ts';
import { openPortForward, type KeepAlive, type PortForward } from '../../../src/host/port-forward.ts';
import { Kubelet, type KubeletBehaviour } from '../../support/kubelet.ts';
import { rejection } from '../rejection.ts';
import { configFor, refuse } from './server.ts';

const never = new AbortController().signal;
const target = { namespace: 'knest', pod: 'relay-1', port: 6443 };
/** Milliseconds after which the proxy cuts. */
const SILENCE = 1_000;
const patient: KeepAlive = { ping: 60_000, message: 60_000, stall: 60_000 };

/** A server in the place of API server and kubelet. */
async function serve(
  behaviour: KubeletBehaviour,
): Promise<{ readonly client: KubernetesClient; readonly server: Server }> {
  const server = createServer((_request, response) => refuse(response, 404));
  new Kubelet(server, () => undefined, behaviour);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const rest = new RestClient(new Transport(configFor(`http://127.0.0.1:${port}`)), never);
  return { client: new KubernetesClient(rest), server };
}

/** A connection with what happened on it. */
class Connection {
  data = '';
  ends: (string | undefined)[] = [];
  drains = 0;
  forward: PortForward | undefined;

  async open(client: KubernetesClient, keepAlive = patient): Promise<PortForward> {
    const events = {
      onData: (chunk: Buffer) => (this.data += chunk.toString()),
      onDrain: () => this.drains++,
      onEnd: (problem: string | undefined) => this.ends.push(problem),
    };
    this.forward = await openPortForward(client, target, events, never, keepAlive);
    onTestFinished(() => this.forward?.close());
    return this.forward;
  }
}

async function opened(take: (socket: WebSocket) => void, keepAlive = patient): Promise<Connection> {
  const { client } = await serve({ take });
  const connection = new Connection();
  await connection.open(client, keepAlive);
  return connection;
}

describe('a forwarded connection', () => {
  it('carries data both ways, without the bytes of the port, and with the credentials of the host', async () => {
    const handshakes: unknown[] = [];
    const { client } = await serve({
      refuse: ({ url, headers }) => void handshakes.push([url, headers.authorization]),
      take: (socket) =>
        socket.on('message', (data: Buffer) =>
          socket.send(Buffer.concat([data.subarray(0, 1), Buffer.from('echo '), data.subarray(1)])),
        ),
    });
    const connection = new Connection();
    const forward = await connection.open(client);
    forward.send(Buffer.from('hello'));
    await vi.waitFor(() => expect(connection.data).toBe('echo hello'));
    expect(handshakes).toEqual([
      ['/api/v1/namespaces/knest/pods/relay-1/portforward?ports=6443', 'Bearer secret-token'],
    ]);
  });

  it('ends with the text on the error channel, which comes after the handshake', async () => {
    const connection = await opened((socket) =>
      socket.send(Buffer.concat([Buffer.from([1]), Buffer.from('connection refused')])),
    );
    await vi.waitFor(() => expect(connection.ends).toEqual(['connection refused']));
  });

  it('ends in order when the server closes it, and with a problem when it is cut or closed with an error', async () => {
    const closed = await opened((socket) => socket.close(1000));
    await vi.waitFor(() => expect(closed.ends).toEqual([undefined]));
    const failed = await opened((socket) => socket.close(1011, 'kubelet is gone'));
    await vi.waitFor(() => expect(failed.ends).toEqual(['the server closed the WebSocket with 1011 kubelet is gone']));
    const cut = await opened((socket) => socket.terminate());
    await vi.waitFor(() => expect(cut.ends).toEqual(['the connection was cut']));
  });

  it('is kept alive by pings, and by messages that are empty', async () => {
    let pings = 0;
    const messages: Buffer[] = [];
    const keepAlive = { ping: 10, message: 10, stall: 60_000 };
    const connection = await opened((socket) => {
      socket.on('ping', () => pings++);
      socket.on('message', (data: Buffer) => messages.push(data));
    }, keepAlive);
    await vi.waitFor(() => expect(Math.min(pings, messages.length)).toBeGreaterThan(5));
    expect(messages.every(({ length }) => length === 0)).toBe(true);
    expect(connection.ends).toEqual([]);
  });

  it('survives a proxy that cuts silent connections, by its pings', async () => {
    const { server } = await serve({ take: () => undefined });
    const { port } = server.address() as AddressInfo;
    const proxy = createProxy((client) => {
      const remote = connect(port, '127.0.0.1');
      client.pipe(remote).pipe(client);
      for (const socket of [client, remote]) {
        socket.on('error', () => undefined);
        socket.on('close', () => (client.destroy(), remote.destroy()));
        socket.setTimeout(SILENCE, () => socket.destroy());
      }
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void proxy.close());
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const client = new KubernetesClient(new RestClient(new Transport(configFor(url)), never));
    const [silent, alive] = [new Connection(), new Connection()];
    await alive.open(client, { ...patient, ping: SILENCE / 5 });
    await silent.open(client, patient);
    await vi.waitFor(() => expect(silent.ends).toEqual(['the connection was cut']), { timeout: 10_000 });
    expect(alive.ends).toEqual([]);
  });

  it('is dropped when the server does not answer pings', async () => {
    const connection = await opened((socket) => socket.pause(), { ...patient, ping: 20 });
    await vi.waitFor(() => expect(connection.ends).toEqual(['the server did not answer 2 pings']));
  });

  it('makes the server wait while nobody reads, and is dropped when that lasts', async () => {
    let sent = 0;
    const connection = await opened(
      (socket) => {
        const more = (): void =>
          socket.send(Buffer.alloc(65_536), () => {
            sent += 65_536;
            if (socket.readyState === socket.OPEN) more();
          });
        more();
      },
      { ...patient, ping: 100, stall: 500 },
    );
    connection.forward?.pause();
    await vi.waitFor(() => expect(connection.ends).toEqual(['nobody read what came for 0.5 s']));
    // What the buffers of two sockets take, and no more.
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  it('says when to wait before more is sent, and when to go on', async () => {
    let server: WebSocket | undefined;
    const connection = await opened((socket) => {
      socket.pause();
      server = socket;
    });
    let isFree = true;
    for (let sent = 0; isFree && sent < 1_000; sent++) isFree = connection.forward?.send(Buffer.alloc(65_536)) ?? true;
    expect(isFree).toBe(false);
    expect(connection.drains).toBe(0);
    server?.resume();
    await vi.waitFor(() => expect(connection.drains).toBeGreaterThan(0));
  });

  it('can be sent to, closed and closed again once it has ended', async () => {
    const connection = await opened((socket) => socket.close(1000));
    await vi.waitFor(() => expect(connection.ends).toEqual([undefined]));
    connection.forward?.send(Buffer.from('late'));
    connection.forward?.close();
    connection.forward?.close();
    expect(connection.ends).toEqual([undefined]);
  });
});

describe('a handshake', () => {
  const answered = async (answer: string): Promise<unknown> => {
    const { client } = await serve({ refuse: () => answer });
    return rejection(new Connection().open(client));
  };

  it('that is refused fails with the words of the API server', async () => {
    const status = JSON.stringify({
      kind: 'Status',
      reason: 'Forbidden',
      message: 'cannot create resource "pods/portforward"',
    });
    const failure = await answered(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${status.length}\r\n\r\n${status}`);
    expect(failure).toMatchObject({
      code: 'KNEST_PERMISSION',
      problem:
        'GET /api/v1/namespaces/knest/pods/relay-1/portforward?ports=6443 failed with 403 Forbidden: cannot create resource "pods/portforward"',
    });
  });

  it('is done again with new credentials once the server no longer accepts the current ones', async () => {
    let asked = 0;
    const { client } = await serve({
      refuse: () => (asked++ === 0 ? 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n' : undefined),
      take: (socket) => socket.send(Buffer.from([0, 104, 105])),
    });
    const connection = new Connection();
    await connection.open(client);
    await vi.waitFor(() => expect(connection.data).toBe('hi'));
    expect(asked).toBe(2);
  });

  it('names a proxy as the likely cause when the server upgrades to something else', async () => {
    expect(
      await answered('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    ).toMatchObject({
      code: 'KNEST_HOST_REQUEST',
      next: expect.stringContaining('a proxy in front of the API server') as string,
    });
  });

  it('fails when nothing answers', async () => {
    const { client, server } = await serve({});
    await new Promise((resolve) => server.close(resolve));
    expect(await rejection(new Connection().open(client))).toMatchObject({ code: 'KNEST_HOST_UNREACHABLE' });
  });
});
