import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as send, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';
import { makeCertificate } from './certificate.ts';
import type { StepOptions } from './runner.ts';

/** A request on its way to the API server. */
export interface PassingRequest {
  readonly method: string;
  /** Method, path and query, decoded, without what differs when it is made again: `GET /api/v1/nodes`. */
  readonly what: string;
  /** How often this client has made the same request before. */
  readonly earlier: number;
}

/** What becomes of a request. */
export type Fate =
  | { readonly kind: 'pass'; readonly delayMilliseconds?: number }
  /** Answered by the proxy: the API server never hears of it. */
  | { readonly kind: 'refuse'; readonly status: number; readonly retryAfterSeconds?: number }
  /** The connection ends: before the API server hears of it, once it has answered, or in the middle of its answer. */
  | { readonly kind: 'cut'; readonly where: 'request' | 'answer' | 'middle' };

/** What decides on the requests of one client. */
export interface Judge {
  readonly decide: (request: PassingRequest) => Fate;
  /** Hears that the API server has answered, before the client does, or never does. */
  readonly answered?: (request: PassingRequest) => void;
}

/** Passes a request as it is. */
export const pass: Fate = { kind: 'pass' };

interface Client {
  readonly judge: Judge;
  /** How often it has made each request. */
  readonly times: Map<string, number>;
}

interface Upstream {
  readonly server: URL;
  readonly tls: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer };
}

/**
 * Stands in front of a real API server and does to requests what a bad network does. Its clients are told apart by the
 * token in their kubeconfig, and enter as the user of the kubeconfig that the proxy was given. Watches and upgrades
 * pass through.
 */
export class FaultProxy {
  readonly #upstream: Upstream;
  readonly #server: Server;
  readonly #agent: Agent;
  readonly #directory: string;
  readonly #certificate = makeCertificate();
  readonly #clients = new Map<string, Client>();
  #relay: ChildProcess | undefined;
  #port = 0;

  private constructor(kubeconfig: string) {
    this.#upstream = readUpstream(kubeconfig);
    this.#directory = mkdtempSync(join(tmpdir(), 'knest-proxy-'));
    // A pool: the API server notices neither how many clients there are nor how often their connections end.
    this.#agent = new Agent({ keepAlive: true, ...this.#upstream.tls });
    this.#server = createServer(this.#certificate);
    this.#server.on('request', (request, response) => void this.#handle(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Starts one for the API server of a kubeconfig with a client certificate; `wrap` says in whose network. */
  static async start(kubeconfig: string, wrap?: StepOptions['wrap']): Promise<FaultProxy> {
    const proxy = new FaultProxy(kubeconfig);
    await new Promise<void>((resolve) => proxy.#server.listen(proxy.#file('inside'), resolve));
    await proxy.#startRelay(wrap);
    return proxy;
  }

  /** Lets a client in, whose requests the judge decides on. Returns the text of its kubeconfig. */
  admit(judge: Judge): string {
    const token = randomUUID();
    this.#clients.set(token, { judge, times: new Map() });
    const ca = Buffer.from(this.#certificate.cert).toString('base64');
    const cluster = { server: `https://127.0.0.1:${this.#port}`, 'certificate-authority-data': ca };
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'proxy',
      clusters: [{ name: 'proxy', cluster }],
      users: [{ name: 'client', user: { token } }],
      contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'client' } }],
    });
  }

  /** Ends it, with every connection. */
  async stop(): Promise<void> {
    this.#relay?.stdin?.end();
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#directory, { recursive: true });
  }

  #file(name: 'inside' | 'outside'): string {
    return join(this.#directory, name);
  }

  async #startRelay(wrap: StepOptions['wrap'] = ([command = '', ...args]) => ({ command, args })): Promise<void> {
    const { hostname, port } = this.#upstream.server;
    const program = [process.execPath, join(import.meta.dirname, 'relay.ts')];
    const { command, args } = wrap([...program, this.#file('inside'), this.#file('outside'), hostname, port]);
    const relay = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#relay = relay;
    this.#port = await new Promise<number>((resolve, reject) => {
      relay.stdout.once('data', (line: Buffer) => resolve(Number(line.toString())));
      relay
        .once('error', reject)
        .once('exit', (code) => reject(new Error(`the relay ended with ${code ?? 'a signal'}`)));
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const client = this.#clients.get(/^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? '');
    const passing = client && noted(request, client);
    const fate: Fate = passing ? client.judge.decide(passing) : { kind: 'refuse', status: 401 };
    if (fate.kind === 'refuse') refuse(response, fate);
    else if (fate.kind === 'cut' && fate.where === 'request') request.socket.destroy();
    else {
      if (fate.kind === 'pass' && fate.delayMilliseconds !== undefined) await delay(fate.delayMilliseconds);
      // Whoever gave up meanwhile does not want it done any more.
      if (request.socket.destroyed) return;
      this.#pass(request, response, fate, () => passing && client.judge.answered?.(passing));
    }
  }

  #pass(request: IncomingMessage, response: ServerResponse, fate: Fate, answered: () => void): void {
    const onward = this.#forward(request);
    const cut = (): void => void request.socket.destroy();
    request.pipe(onward);
    response.on('close', () => onward.destroy());
    onward.on('error', cut);
    onward.on('response', (answer) => {
      answered();
      if (fate.kind === 'cut' && fate.where === 'answer') {
        cut();
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      // A watch may have nothing to tell for long; that it is open is told at once.
      response.flushHeaders();
      if (fate.kind === 'cut') {
        answer.once('data', (chunk: Buffer) => response.write(chunk.subarray(0, chunk.length / 2), cut));
        answer.on('end', cut);
      } else {
        answer.pipe(response);
      }
    });
  }

  /** An upgrade is no request that could be repeated: it passes whatever the judge says of others. */
  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const onward = this.#forward(request);
    const end = (): void => void socket.destroy();
    onward.on('error', end).on('response', end);
    onward.on('upgrade', (answer, there: Duplex, first) => {
      const headers = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers.join('')}\r\n`);
      socket.write(first);
      there.write(head);
      socket.on('error', () => there.destroy()).pipe(there);
      there.on('error', end).pipe(socket);
    });
    onward.end();
  }

  #forward({ method, url, headers }: IncomingMessage): ReturnType<typeof send> {
    const { hostname, host } = this.#upstream.server;
    const onward = send({
      ...this.#upstream.tls,
      agent: this.#agent,
      socketPath: this.#file('outside'),
      host: hostname,
      method,
      path: url,
      headers: { ...headers, host },
    });
    // The proxy enters with its own certificate.
    onward.removeHeader('authorization');
    return onward;
  }
}

/** The request as its judge sees it. */
function noted({ method = '', url = '' }: IncomingMessage, { times }: Client): PassingRequest {
  const { pathname, searchParams } = new URL(url, 'https://host');
  searchParams.delete('resourceVersion');
  const query = searchParams.size === 0 ? '' : `?${searchParams.toString()}`;
  const what = `${method} ${decodeURIComponent(pathname + query)}`;
  const earlier = times.get(what) ?? 0;
  times.set(what, earlier + 1);
  return { method, what, earlier };
}

function refuse(response: ServerResponse, { status, retryAfterSeconds }: Extract<Fate, { kind: 'refuse' }>): void {
  const body = {
    apiVersion: 'v1',
    kind: 'Status',
    status: 'Failure',
    code: status,
    reason: 'Fault',
    message: 'a fault',
  };
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
  });
  response.end(JSON.stringify(body));
}

function readUpstream(kubeconfig: string): Upstream {
  const { clusters, users } = parse(kubeconfig) as {
    readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
    readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
  };
  const decode = (fields: Readonly<Record<string, string>> | undefined, name: string): Buffer =>
    Buffer.from(fields?.[name] ?? '', 'base64');
  return {
    server: new URL(clusters[0]?.cluster['server'] ?? ''),
    tls: {
      ca: decode(clusters[0]?.cluster, 'certificate-authority-data'),
      cert: decode(users[0]?.user, 'client-certificate-data'),
      key: decode(users[0]?.user, 'client-key-data'),
    },
  };
}
