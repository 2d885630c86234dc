import { once } from 'node:events';
import { createServer as createHttp, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { connect, createServer as createTcp, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { withoutBrackets } from '../../../src/values/https-address.ts';
import type { Certificate } from '../../support/certificate.ts';

/** A request as the API server saw it: where it came to, by which proxy, and as whom. */
export interface Seen {
  readonly server: string;
  /** Blank for none. */
  readonly proxy: string;
  readonly path: string;
  /** Those that say who asks, as they were sent. */
  readonly headers: readonly string[];
  /** The name in the client's certificate; blank for none. */
  readonly certificate: string;
}

/** What a proxy sends to its client once it has tried to reach the server. */
interface ProxyAnswers {
  readonly opened: string | Buffer;
  readonly failed: string | Buffer;
}

/** What answers in the place of API servers, and the proxies on the way to them. */
export class Servers {
  /** Everything that came in, since it was last emptied. */
  readonly seen: Seen[] = [];
  /** By the port that a proxy opened a connection from. */
  readonly #proxies = new Map<number, string>();

  /** Serves https at an address. `chain` follows the certificate. */
  async https(address: string, port: number, { cert, key }: Certificate, chain = ''): Promise<void> {
    const options = { cert: cert + chain, key, requestCert: true, rejectUnauthorized: false };
    await listening(
      createHttps(options, (incoming, response) => this.#answer(`https ${address}`, incoming, response)),
      address,
      port,
    );
  }

  /** Serves http at an address. */
  async http(address: string, port: number): Promise<void> {
    await listening(
      createHttp((incoming, response) => this.#answer(`http ${address}`, incoming, response)),
      address,
      port,
    );
  }

  /** A proxy that takes CONNECT for https and whole addresses for http. */
  async proxy(name: string, address: string, port: number): Promise<void> {
    const nameOf = ({ headers }: IncomingMessage): string => `${name} ${headers['proxy-authorization'] ?? ''}`.trim();
    const server = createHttp((incoming, response) => {
      const outgoing = request(incoming.url ?? '', {
        method: incoming.method,
        headers: incoming.headers,
        agent: false,
      });
      outgoing.on('socket', (socket) => this.#note(socket, nameOf(incoming)));
      outgoing.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      outgoing.on('error', () => response.writeHead(502).end());
      incoming.pipe(outgoing);
    });
    server.on('connect', (incoming: IncomingMessage, socket: Socket) => {
      const { hostname, port: wanted } = new URL(`http://${incoming.url ?? ''}`);
      const name = nameOf(incoming);
      const answers = { opened: 'HTTP/1.1 200 OK\r\n\r\n', failed: 'HTTP/1.1 502 Bad Gateway\r\n\r\n' };
      this.#forward(socket, withoutBrackets(hostname), Number(wanted), name, answers);
    });
    await listening(server, address, port);
  }

  /** A proxy that speaks SOCKS 5: with a login (`user:password`) where one is given. Sources: RFC 1928, RFC 1929. */
  async socks(name: string, address: string, port: number, login = ''): Promise<void> {
    const server = createTcp((socket) => void this.#socks(socket, name, login).catch(() => socket.destroy()));
    await listening(server, address, port);
  }

  async #socks(socket: Socket, name: string, login: string): Promise<void> {
    socket.on('error', () => socket.destroy());
    const next = async (): Promise<Buffer> => ((await once(socket, 'data')) as [Buffer])[0];
    const offered = (await next()).subarray(2);
    const method = login === '' ? 0 : 2;
    if (!offered.includes(method)) return void socket.end(Buffer.from([5, 0xff]));
    socket.write(Buffer.from([5, method]));
    if (login !== '') {
      const isRight = loginIn(await next()) === login;
      socket.write(Buffer.from([1, isRight ? 0 : 1]));
      if (!isRight) return void socket.end();
    }
    const { host, port } = addressIn(await next());
    const answer = (code: number): Buffer => Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
    this.#forward(socket, host, port, name, { opened: answer(0), failed: answer(4) });
  }

  /** Answers when the server is not reachable, too: kubectl retries for 10 s when a proxy hangs up without a word. */
  #forward(socket: Socket, host: string, port: number, proxy: string, { opened, failed }: ProxyAnswers): void {
    const outgoing = connect(port, host);
    this.#note(outgoing, proxy);
    let isOpen = false;
    outgoing.on('connect', () => {
      isOpen = true;
      socket.write(opened);
      socket.pipe(outgoing).pipe(socket);
    });
    outgoing.on('error', () => (isOpen ? socket.destroy() : socket.end(failed)));
    outgoing.on('close', () => isOpen && socket.destroy());
    socket.on('error', () => outgoing.destroy()).on('close', () => outgoing.destroy());
  }

  #note(socket: Socket, proxy: string): void {
    let port = 0;
    socket.on('connect', () => {
      port = socket.localPort ?? 0;
      this.#proxies.set(port, proxy);
    });
    // The next connection from this port may be direct.
    socket.on('close', () => this.#proxies.delete(port));
  }

  #answer(server: string, { headers, rawHeaders, socket, url = '' }: IncomingMessage, response: ServerResponse): void {
    const names = rawHeaders.filter((_text, at) => at % 2 === 0).map((name) => name.toLowerCase());
    const identity = names
      .map((name, at) => `${name}: ${rawHeaders[2 * at + 1] ?? ''}`)
      .filter((header) => /^(authorization|impersonate-)/.test(header));
    // A plain connection has no certificates.
    const subject =
      headers.host === undefined ? undefined : (socket as Partial<TLSSocket>).getPeerCertificate?.().subject;
    this.seen.push({
      server,
      proxy: this.#proxies.get(socket.remotePort ?? 0) ?? '',
      path: url.replace(/\?.*/, ''),
      headers: identity.sort(),
      certificate: String(subject?.CN ?? ''),
    });
    response.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
    response.end('{"major":"1","minor":"36","gitVersion":"v1.36.0"}');
  }
}

/** `user:password` of a SOCKS 5 login. */
function loginIn(message: Buffer): string {
  const userEnd = 2 + (message[1] ?? 0);
  const user = message.toString('utf8', 2, userEnd);
  return `${user}:${message.toString('utf8', userEnd + 1, userEnd + 1 + (message[userEnd] ?? 0))}`;
}

function addressIn(wanted: Buffer): { readonly host: string; readonly port: number } {
  const length = wanted[4] ?? 0;
  const isName = wanted[3] === 3;
  const host = isName ? wanted.toString('latin1', 5, 5 + length) : [...wanted.subarray(4, 8)].join('.');
  return { host, port: wanted.readUInt16BE(isName ? 5 + length : 8) };
}

async function listening(server: Server, address: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  server.on('error', reject).listen(port, address, () => resolve(undefined));
  await promise;
}
