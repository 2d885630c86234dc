import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { onTestFinished } from 'vitest';
import { KubernetesClient } from '../../../src/host/client.ts';
import { RestClient } from '../../../src/host/rest.ts';
import { Transport } from '../../../src/host/transport.ts';

/** What came in at the server. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
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
      const { method = '', url: path = '', headers } = request;
      const one = { method, path, headers, body, at: performance.now() };
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

/** A kubeconfig for that server, with a token. */
export function configFor(url: string, token = 'secret-token'): KubeConfig {
  const config = new KubeConfig();
  // The client library takes plain HTTP only so.
  config.loadFromClusterAndUser({ name: 'c', server: url, skipTLSVerify: true }, { name: 'u', token });
  return config;
}

/** A client of a local server in the place of an API server, and what that received. */
export async function clientOf(
  handler: Handler,
): Promise<{ readonly client: KubernetesClient; readonly received: readonly Received[] }> {
  const { url, received } = await serve(handler);
  const rest = new RestClient(new Transport(configFor(url)), new AbortController().signal);
  return { client: new KubernetesClient(rest), received };
}
