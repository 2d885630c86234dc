import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';

/** What a connection to a pod's port is joined to; undefined where nothing listens there. */
export type Dial = () => Socket | undefined;

/** How a kubelet differs from one that forwards to a local port. */
export interface KubeletBehaviour {
  /** Answers a handshake instead, as a text of HTTP; undefined for what it would answer otherwise. */
  readonly refuse?: (request: IncomingMessage) => string | undefined;
  /** Takes a WebSocket over, after the bytes of the port have been sent. */
  readonly take?: (socket: WebSocket) => void;
}

const PROTOCOL = 'v4.channel.k8s.io';

/**
 * Forwards ports as API server and kubelet do, by a WebSocket implementation of others: the number of the port first on
 * both channels, an error as text on the second one after the handshake. What comes in as a handshake is noted.
 */
export class Kubelet {
  /** Paths of the handshakes that were accepted. */
  readonly forwarded: string[] = [];
  readonly sockets = new Set<WebSocket>();
  /** Where connections go. */
  dial: Dial;
  readonly #server = new WebSocketServer({
    noServer: true,
    handleProtocols: (protocols) => (protocols.has(PROTOCOL) ? PROTOCOL : false),
  });

  /** Answers the handshakes of a server from here on. */
  constructor(server: HttpServer | HttpsServer, dial: Dial, { refuse, take }: KubeletBehaviour = {}) {
    this.dial = dial;
    server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
      const refusal = refuse?.(request);
      if (refusal !== undefined) {
        connection.end(refusal);
        return;
      }
      this.#server.handleUpgrade(request, connection, head, (socket) => {
        this.forwarded.push(request.url ?? '');
        this.sockets.add(socket);
        socket.on('close', () => this.sockets.delete(socket));
        socket.on('error', () => undefined);
        const port = Number(new URL(request.url ?? '', 'http://localhost').searchParams.get('ports'));
        for (const channel of [0, 1]) socket.send(Buffer.from([channel, port & 0xff, port >> 8]));
        if (take !== undefined) take(socket);
        else join(socket, this.dial(), port);
      });
    });
  }

  /** Cuts every connection, without a word. */
  cut(): void {
    for (const socket of this.sockets) socket.terminate();
  }
}

function join(socket: WebSocket, remote: Socket | undefined, port: number): void {
  const fail = (message: string): void => {
    socket.send(Buffer.concat([Buffer.from([1]), Buffer.from(message)]));
    socket.close(1000);
  };
  if (remote === undefined) {
    fail(`failed to connect to localhost:${port} inside namespace: connection refused`);
    return;
  }
  remote.on('data', (data: Buffer) => {
    remote.pause();
    socket.send(Buffer.concat([Buffer.from([0]), data]), () => remote.resume());
  });
  remote.on('error', () => fail('lost connection to pod'));
  remote.on('end', () => socket.close(1000));
  socket.on('message', (data: Buffer) => {
    if (data.length > 1 && data[0] === 0 && !remote.write(data.subarray(1))) {
      socket.pause();
      remote.once('drain', () => socket.resume());
    }
  });
  // A paused WebSocket would not notice that the other side closes it.
  remote.on('close', () => socket.resume());
  socket.on('close', () => remote.destroy());
}

/** A connection to a local port. */
export function dialLocal(port: number): Dial {
  return () => connect(port, '127.0.0.1');
}
