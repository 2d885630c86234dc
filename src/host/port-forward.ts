import { createHash, randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { KnestError } from '../errors.ts';
import type { KubernetesClient } from './api/client.ts';
import { Kinds } from './api/kinds.ts';
import { pathOf } from './api/paths.ts';
import { WebSocket } from './websocket/web-socket.ts';

/** A port of a pod. */
export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** What happens on a forwarded connection. */
export interface PortForwardEvents {
  readonly onData: (chunk: Buffer) => void;
  /** What was sent has left the buffer. */
  readonly onDrain: () => void;
  /**
   * The last event: the far end is gone. `problem`: undefined when it closed the connection in an orderly way. That is no
   * success by itself: an API server that shuts down closes the same way, before the answer.
   */
  readonly onEnd: (problem: string | undefined) => void;
}

/** How a forwarded connection is kept alive, in milliseconds. */
export interface KeepAlive {
  /** Between two pings, for proxies that cut what is silent, often after 60 s. */
  readonly ping: number;
  /** Between two empty messages: pings do not count as use for the kubelet and the container runtime. */
  readonly message: number;
  /** For which nobody may take what has come. */
  readonly stall: number;
}

const KEEP_ALIVE: KeepAlive = { ping: 20_000, message: 120_000, stall: 300_000 };
/** Pings without an answer after which a connection is dropped. */
const MISSED_PINGS = 2;
/** Milliseconds for the handshake, which goes by the API server to the kubelet. */
const HANDSHAKE_MILLISECONDS = 20_000;
/** The one subprotocol that every API server passes on to the kubelet. Source: k8s.io/kubelet cri/streaming/portforward. */
const PROTOCOL = 'v4.channel.k8s.io';
/** Source: RFC 6455, section 1.3. */
const HANDSHAKE_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** The channel of the data; the other one is that of errors. Each begins with the number of the port, in two bytes. */
const DATA = 0;
const PORT_BYTES = 2;
/** What a message with data begins with. */
const DATA_CHANNEL = Buffer.from([DATA]);
const NOTHING = Buffer.alloc(0);

/**
 * Opens a connection to a port of a pod by the API server: one WebSocket for one TCP connection, never resumed.
 * Throws KNEST_HOST_*, KNEST_PERMISSION when the server refuses, and the signal's reason.
 */
export async function openPortForward(
  client: KubernetesClient,
  { namespace, pod, port }: PodPort,
  events: PortForwardEvents,
  signal: AbortSignal,
  keepAlive = KEEP_ALIVE,
): Promise<PortForward> {
  const key = randomBytes(16).toString('base64');
  const path = `${pathOf(Kinds.pod, namespace, pod)}/portforward?ports=${port}`;
  const headers = {
    'Sec-WebSocket-Key': key,
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': PROTOCOL,
    'User-Agent': 'knest-action',
  };
  const within = AbortSignal.any([signal, AbortSignal.timeout(HANDSHAKE_MILLISECONDS)]);
  const { socket, headers: answer } = await client.rest.upgrade({ path, protocol: 'websocket', headers }, within);
  const accept = createHash('sha1').update(`${key}${HANDSHAKE_GUID}`).digest('base64');
  if (answer['sec-websocket-accept'] !== accept || answer['sec-websocket-protocol'] !== PROTOCOL) {
    socket.on('error', () => undefined).destroy();
    throw new KnestError({
      code: 'KNEST_HOST_REQUEST',
      problem: `GET ${path}: the server does not forward ports by WebSocket (${PROTOCOL})`,
      next: 'check for a proxy in front of the API server: it has to pass WebSockets on as they are',
    });
  }
  return new PortForward(socket, events, keepAlive);
}

/** A connection to a port of a pod. */
export class PortForward {
  readonly #socket: WebSocket;
  readonly #events: PortForwardEvents;
  readonly #keepAlive: KeepAlive;
  readonly #timers: readonly NodeJS.Timeout[];
  /** Bytes of the port's number that have not come yet, by channel. */
  readonly #portBytes = [PORT_BYTES, PORT_BYTES];
  #missedPings = 0;
  /** When reading was paused, of performance.now(); undefined while it is not. */
  #pausedAt: number | undefined;

  constructor(socket: Duplex, events: PortForwardEvents, keepAlive: KeepAlive) {
    this.#events = events;
    this.#keepAlive = keepAlive;
    this.#socket = new WebSocket(socket, {
      onMessage: (parts) => this.#receive(parts),
      onSign: () => (this.#missedPings = 0),
      onDrain: events.onDrain,
      onEnd: (problem) => {
        for (const timer of this.#timers) clearInterval(timer);
        events.onEnd(problem);
      },
    });
    this.#timers = [
      setInterval(() => this.#ping(), keepAlive.ping),
      setInterval(() => this.#socket.send(NOTHING, NOTHING), keepAlive.message),
    ];
  }

  /**
   * Sends data. Returns whether more may be sent at once; if not, `onDrain` follows. `data` is changed, and must not be used
   * any more.
   */
  send(data: Buffer): boolean {
    return this.#socket.send(DATA_CHANNEL, data);
  }

  /** Takes no more data until `resume`. */
  pause(): void {
    this.#pausedAt ??= performance.now();
    this.#socket.pause();
  }

  /** Takes data again. */
  resume(): void {
    this.#pausedAt = undefined;
    this.#missedPings = 0;
    this.#socket.resume();
  }

  /** Closes it, at the latest after 5 s. */
  close(): void {
    this.#socket.close();
  }

  #ping(): void {
    if (this.#pausedAt !== undefined) {
      // Answers are not read now. The server must not be left unread for ever: that may hold up other connections.
      if (performance.now() - this.#pausedAt > this.#keepAlive.stall)
        this.#socket.destroy(`nobody read what came for ${this.#keepAlive.stall / 1000} s`);
      return;
    }
    // Behind data that the other side does not take, a ping is not answered either.
    if (this.#missedPings >= MISSED_PINGS && this.#socket.isSent) {
      this.#socket.destroy(`the server did not answer ${MISSED_PINGS} pings`);
      return;
    }
    this.#missedPings += 1;
    this.#socket.ping();
  }

  #receive(parts: readonly Buffer[]): void {
    const [channel = DATA] = parts[0] ?? [];
    const missing = this.#portBytes[channel];
    if (parts.length === 0 || missing === undefined) return;
    // The channel, and the number of the port.
    let skipped = 1 + missing;
    const data: Buffer[] = [];
    for (const part of parts) {
      if (part.length > skipped) data.push(part.subarray(skipped));
      skipped = Math.max(0, skipped - part.length);
    }
    this.#portBytes[channel] = skipped;
    if (data.length === 0) return;
    if (channel === DATA) for (const part of data) this.#events.onData(part);
    else this.#socket.destroy(Buffer.concat(data).toString('utf8').trim());
  }
}
