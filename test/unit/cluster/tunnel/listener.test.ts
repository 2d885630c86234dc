import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TunnelListener } from '../../../../src/cluster/tunnel/listener.ts';
import { PodConnections } from '../../../../src/cluster/tunnel/pod-connection.ts';
import { relayPod } from '../../../../src/cluster/tunnel/relay.ts';
import { KubernetesClient } from '../../../../src/host/api/client.ts';
import { RestClient } from '../../../../src/host/api/rest.ts';
import { Transport } from '../../../../src/host/api/transport.ts';
import { dialLocal, Kubelet, type KubeletBehaviour } from '../../../support/kubelet.ts';
import { configFor, json } from '../../host/server.ts';

/** A host whose API server has pods of a relay, in the order in which lists answer, and forwards to a local server. */
interface Host {
  readonly api: HttpServer;
  readonly kubelet: Kubelet;
  readonly port: number;
  readonly problems: string[];
  readonly lists: number;
}

const MB = 1024 * 1024;

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** `nested`: what the far side does with a connection. `pods`: the names of ready pods, by the number of the list. */
async function start(
  nested: (socket: Socket) => void,
  {
    pods = () => ['relay-1'],
    ...behaviour
  }: KubeletBehaviour & { readonly pods?: (list: number) => readonly string[] } = {},
  patience = 10_000,
): Promise<Host> {
  const target = await listening(
    createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      nested(socket);
    }),
  );
  let lists = 0;
  const api = createHttpServer((_request, response) => {
    const items = pods(lists++).map((name) => ({
      metadata: { name },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    }));
    json(response, { metadata: { resourceVersion: '1' }, items });
  });
  const kubelet = new Kubelet(api, dialLocal(target), behaviour);
  const url = `http://127.0.0.1:${await listening(api)}`;
  const client = new KubernetesClient(new RestClient(new Transport(configFor(url)), new AbortController().signal));
  const relay = new PodConnections(client, relayPod('pr', 'knest', 'u-1'), undefined, patience);
  const problems: string[] = [];
  const listener = new TunnelListener(
    (events, signal) => relay.open(events, signal),
    (problem) => problems.push(problem),
    { halfOpen: 4_000, closing: 10_000 },
  );
  const port = await listener.listen();
  onTestFinished(() => {
    listener.close();
    api.closeAllConnections();
    kubelet.cut();
  });
  return {
    api,
    kubelet,
    port,
    problems,
    get lists() {
      return lists;
    },
  };
}

function connectTo({ port }: Host): Socket {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** All that a connection sends, or the code of the error that ends it. */
async function rest(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => (text += part));
  return new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    socket.on('end', () => resolve(text));
  });
}

const echo = (socket: Socket): void => void socket.pipe(socket);

describe('a tunnel', () => {
  it('carries a hundred connections at once, each with its own bytes', async () => {
    const host = await start(echo);
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const socket = connectTo(host);
        const sent = `connection ${index} `.repeat(2_000);
        let text = '';
        socket.setEncoding('utf8').on('data', (part: string) => (text += part));
        socket.write(sent);
        await vi.waitFor(() => expect(text.length).toBe(sent.length), { timeout: 20_000 });
        socket.resetAndDestroy();
        return text === sent;
      }),
    );
    expect(answers.every(Boolean)).toBe(true);
    expect(host.problems).toEqual([]);
    // The pod is looked up once for all that wait at the same time, and not again.
    expect(host.lists).toBe(1);
    await vi.waitFor(() => expect(host.kubelet.sockets.size).toBe(0));
  });

  it('carries 20 MB in each direction unchanged, past a reader that stops now and then', async () => {
    const host = await start(echo);
    const socket = connectTo(host);
    const [sent, received] = [createHash('sha256'), createHash('sha256')];
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      received.update(chunk);
      socket.pause();
      setImmediate(() => socket.resume());
    });
    for (let index = 0; index < 20; index++) {
      const chunk = Buffer.alloc(MB, index);
      sent.update(chunk);
      if (!socket.write(chunk)) await once(socket, 'drain');
    }
    await vi.waitFor(() => expect(bytes).toBe(20 * MB), { timeout: 20_000 });
    expect(received.digest('hex')).toBe(sent.digest('hex'));
  });

  it('makes the far side wait for a reader that has stopped', async () => {
    let sent = 0;
    const host = await start((socket) => {
      const more = (): void => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536))) sent += 65_536;
        socket.once('drain', more);
      };
      more();
    });
    const readers = Array.from({ length: 5 }, () => connectTo(host));
    await Promise.all(readers.map((reader) => once(reader, 'readable')));
    // It has stopped when a while passes without progress.
    await vi.waitFor(
      async () => {
        const before = sent;
        await new Promise((resolve) => setTimeout(resolve, 200));
        expect(sent).toBe(before);
      },
      { timeout: 10_000 },
    );
    // What the buffers of the sockets on the way take.
    expect(sent).toBeLessThan(5 * 32 * MB);
    const before = sent;
    readers.forEach((reader) => reader.resume());
    await vi.waitFor(() => expect(sent).toBeGreaterThan(before + 10 * MB), { timeout: 10_000 });
  });

  it('lets an answer arrive after the local side has said that it sends no more', async () => {
    const host = await start((socket) => {
      socket.once('data', () => setTimeout(() => socket.end('a slow answer'), 300));
    });
    const socket = connectTo(host);
    socket.end('question');
    expect(await rest(socket)).toBe('a slow answer');
    expect(host.problems).toEqual([]);
  });

  it('passes on all that came before the far side failed, to a client that reads late', async () => {
    const host = await start(echo, {
      take: (socket) => {
        for (let index = 0; index < 8; index++) socket.send(Buffer.concat([Buffer.from([0]), Buffer.alloc(MB, index)]));
        socket.send(Buffer.concat([Buffer.from([1]), Buffer.from('lost connection to pod')]));
        socket.close(1000);
      },
    });
    const socket = connectTo(host);
    await once(socket, 'readable');
    await new Promise((resolve) => setTimeout(resolve, 300));
    // It stays slow, so that the failure arrives while the last megabytes are still on their way.
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      socket.pause();
      setTimeout(() => socket.resume(), 1);
    });
    await once(socket, 'end');
    expect(bytes).toBe(8 * MB);
    expect(host.problems).toEqual(['lost connection to pod']);
  });

  it('resets a connection that ends before any answer: it must not look like an empty one', async () => {
    const host = await start((socket) => socket.end());
    expect(await rest(connectTo(host))).toBe('ECONNRESET');
    expect(host.problems).toEqual(['the host closed the connection before it sent anything']);
  });

  it('resets a connection whose target is away, says why, and looks the pod up again', async () => {
    const host = await start(echo, { pods: (list) => [`relay-${list + 1}`] });
    const { dial } = host.kubelet;
    host.kubelet.dial = () => undefined;
    expect(await rest(connectTo(host))).toBe('ECONNRESET');
    expect(host.problems).toEqual(['failed to connect to localhost:6443 inside namespace: connection refused']);
    host.kubelet.dial = dial;
    const socket = connectTo(host);
    socket.end('hello');
    await vi.waitFor(() => expect(host.kubelet.forwarded.at(-1)).toContain('/pods/relay-2/portforward'));
    expect(host.lists).toBe(2);
  });

  it('lets a new connection wait for a relay that is gone and an API server that is away, and then work', async () => {
    let refusals = 0;
    const host = await start(echo, {
      pods: (list) => (list < 3 ? [] : ['relay-2']),
      refuse: () => (refusals++ < 2 ? 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n' : undefined),
    });
    const socket = connectTo(host);
    socket.write('hello');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toBe('hello');
    expect(host.problems).toEqual([]);
    expect(refusals).toBe(3);
  });

  it('does not wait for a permission', async () => {
    const host = await start(echo, {
      refuse: () => 'HTTP/1.1 403 Forbidden\r\nContent-Length: 27\r\n\r\n{"message":"cannot create"}',
    });
    expect(await rest(connectTo(host))).toBe('ECONNRESET');
    expect(host.problems).toEqual([expect.stringContaining('failed with 403')]);
    expect(host.kubelet.forwarded).toEqual([]);
  });

  it('says what was missing when a new connection has waited for long', async () => {
    const host = await start(echo, { pods: () => [] }, 300);
    expect(await rest(connectTo(host))).toBe('ECONNRESET');
    expect(host.problems).toEqual(['no pod of the relay of the tunnel is ready (0 in all)']);
  });

  it('goes on listening whichever side dies, and whenever', async () => {
    const host = await start((socket) => {
      socket.pipe(socket);
      socket.write(Buffer.alloc(MB / 4));
    });
    const clients: Socket[] = [];
    for (let round = 0; round < 40; round++) {
      const socket = connectTo(host);
      clients.push(socket);
      socket.on('error', () => undefined).resume();
      socket.write(Buffer.alloc(65_536));
      await new Promise((resolve) => setTimeout(resolve, round % 20));
      if (round % 3 === 0) socket.resetAndDestroy();
      else if (round % 3 === 1) socket.destroy();
      else host.kubelet.cut();
    }
    const socket = connectTo(host);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.length).toBeGreaterThan(0);
    // A cut missed those that had no far side yet.
    for (const client of [socket, ...clients]) client.destroy();
    // Those whose local side is gone without a reset end once nothing has come for a while.
    await vi.waitFor(() => expect(host.kubelet.sockets.size).toBe(0), { timeout: 20_000 });
  });
});
