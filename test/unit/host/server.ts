import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { UserAuthentication } from '../../../src/host/credentials/authentication.ts';
import { KubernetesClient } from '../../../src/host/api/client.ts';
import type { ConnectRuntime } from '../../../src/host/connection.ts';
import { nobody, type LoginCluster, type LoginUser } from '../../../src/host/kubeconfig/login.ts';
import { RestClient, unobserved } from '../../../src/host/api/rest.ts';
import { Transport, type TransportTarget } from '../../../src/host/api/transport.ts';
import { processRunner } from '../../../src/runner/process.ts';

/** What came in at the server. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** The same, with every value of those that came several times. */
  readonly headersDistinct: IncomingMessage['headersDistinct'];
  readonly body: string;
  /** Milliseconds, of performance.now(). */
  readonly at: number;
}

/** Answers one request; `number` counts from 0. */
export type Handler = (response: ServerResponse, number: number, request: Received) => void;

/** A local HTTP server in the place of an API server, until the test ends. */
export async function serve(
  handler: Handler,
): Promise<{ readonly url: string; readonly received: readonly Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const { method = '', url: path = '', headers, headersDistinct } = request;
      const one = { method, path, headers, headersDistinct, body, at: performance.now() };
      received.push(one);
      handler(response, received.length - 1, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

/** Answers with JSON. */
export function json(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Answers as an API server that refuses. */
export function refuse(response: ServerResponse, code: number, headers: Record<string, string> = {}): void {
  json(response, { kind: 'Status', code, reason: `Reason${code}`, message: `refused with ${code}` }, code, headers);
}

/** An entry to that server, with a token; `user` has more of what a kubeconfig says about a user. */
export function configFor(url: string, token = 'secret-token', user: Partial<LoginUser> = {}): TransportTarget {
  const cluster: LoginCluster = {
    name: 'c',
    address: url,
    server: url.replace(/\/+$/, ''),
    authorization: undefined,
    tlsServerName: '',
    certificateAuthority: '',
    insecureSkipTlsVerify: false,
    disableCompression: false,
    proxyUrl: '',
    ownProxyUrl: '',
    execConfig: undefined,
  };
  const login = { context: 'c', cluster, user: { ...nobody('u'), token, ...user } };
  return { cluster, authentication: new UserAuthentication(login, quietRuntime()) };
}

/** What entering a host takes, without anybody who hears of it. */
export function quietRuntime(runtime: Partial<ConnectRuntime> = {}): ConnectRuntime {
  return {
    env: process.env,
    run: processRunner(new AbortController().signal),
    mask: () => undefined,
    redact: (text) => text,
    signal: new AbortController().signal,
    observe: unobserved,
    wasReached: false,
    ...runtime,
  };
}

/** A client of a local server in the place of an API server, and what that received. */
export async function clientOf(
  handler: Handler,
): Promise<{ readonly client: KubernetesClient; readonly received: readonly Received[] }> {
  const { url, received } = await serve(handler);
  const rest = new RestClient(new Transport(configFor(url)), new AbortController().signal);
  return { client: new KubernetesClient(rest), received };
}
