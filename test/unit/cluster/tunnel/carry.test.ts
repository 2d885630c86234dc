import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, request } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { carry, type OpenFarSide } from '../../../../src/cluster/tunnel/carry.ts';
import { PortForward } from '../../../../src/host/port-forward.ts';
import { Kubelet } from '../../../support/kubelet.ts';

const MB = 1024 * 1024;
const MINUTE = 60_000;
const READERS = 100;

async function listening(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
}

/** Opens a WebSocket to a kubelet at that path as a forwarded port. */
function forwardTo(socketPath: string): OpenFarSide {
  return async (events) => {
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Protocol': 'v4.channel.k8s.io',
    };
    const [, socket, head] = (await once(request({ socketPath, path: '/?ports=6443', headers }).end(), 'upgrade')) as [
      unknown,
      Socket,
      Buffer,
    ];
    socket.unshift(head);
    return new PortForward(socket, events, { ping: MINUTE, message: MINUTE, stall: MINUTE });
  };
}

/** By Unix sockets, of which the system buffers little: what is sent besides is in the memory of the tunnel. */
describe('a hundred connections whose readers have stopped', () => {
  it('make their far sides wait, and go on once they are read', { timeout: 60_000 }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'knest-carry-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const [near, far] = [join(directory, 'near'), join(directory, 'far')];
    const chunk = Buffer.alloc(65_536);
    const sent: number[] = [];
    const api = createHttpServer();
    const kubelet = new Kubelet(api, () => undefined, {
      take: (socket) => {
        const index = sent.push(0) - 1;
        const more = (): void =>
          socket.send(chunk, (error) => {
            if (error instanceof Error) return;
            sent[index] = (sent[index] ?? 0) + chunk.length;
            setImmediate(more);
          });
        more();
      },
    });
    await listening(api, far);
    const problems: string[] = [];
    const open = forwardTo(far);
    const listener = createServer({ allowHalfOpen: true }, (socket) =>
      carry(socket, open, (one) => problems.push(one)),
    );
    await listening(listener, near);
    const readers = Array.from({ length: READERS }, () => connect(near));
    onTestFinished(() => {
      for (const reader of readers) reader.destroy();
      kubelet.cut();
    });
    await Promise.all(readers.map((reader) => once(reader, 'readable')));
    const most = (): number => Math.max(...sent);
    // They have stopped when a while passes without progress.
    await vi.waitFor(
      async () => {
        const before = sent.join();
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        expect(sent.join()).toBe(before);
      },
      { timeout: 20_000 },
    );
    expect(sent).toHaveLength(READERS);
    expect(most()).toBeLessThan(2 * MB);
    const before = [...sent];
    for (const reader of readers) reader.resume();
    const goneOn = (): boolean => sent.every((bytes, index) => bytes > (before[index] ?? 0) + MB);
    await vi.waitFor(() => expect(goneOn()).toBe(true), { timeout: 20_000 });
    expect(problems).toEqual([]);
  });
});
