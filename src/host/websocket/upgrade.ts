import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { Response, type Dispatcher } from 'undici';

/** A request to speak another protocol. */
export interface UpgradeRequest {
  readonly path: string;
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** How requests are sent. */
interface Via {
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
}

/** What a server makes of a request to speak another protocol: it agrees, or answers as to any request. */
export type Upgraded =
  { readonly socket: Duplex; readonly headers: IncomingHttpHeaders } | { readonly response: Response };

interface Refusal {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingHttpHeaders;
}

/** The most that is read of a refusal. Bytes. */
const LARGEST_REFUSAL = 64 * 1024;

/**
 * Asks a server to speak another protocol on the connection of a request, and returns that connection. It is undici's,
 * so proxies, client certificates and authorities apply as to every other request. undici's own `upgrade` is not used:
 * it hides why a server refuses. Rejects when the server does not answer, and with the signal's reason.
 */
export async function upgrade(
  server: string,
  request: UpgradeRequest,
  { headers, dispatcher }: Via,
  signal: AbortSignal,
): Promise<Upgraded> {
  signal.throwIfAborted();
  const url = new URL(server + request.path);
  return new Promise((resolve, reject) => {
    let refusal: Refusal = { status: 0, statusText: '', headers: {} };
    let size = 0;
    const parts: Buffer[] = [];
    const answer = (): void => resolve({ response: responseOf(refusal, Buffer.concat(parts)) });
    let abort = (): void => undefined;
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (controller) => {
        abort = () => controller.abort(signal.reason as Error);
        signal.addEventListener('abort', abort, { once: true });
        if (signal.aborted) abort();
      },
      onRequestUpgrade: (_controller, _status, headers, socket) => {
        signal.removeEventListener('abort', abort);
        resolve({ socket, headers });
      },
      onResponseStart: (_controller, status, headers, statusText = '') => {
        refusal = { status, statusText, headers };
      },
      onResponseData: (controller, chunk) => {
        size += chunk.length;
        if (size <= LARGEST_REFUSAL) parts.push(chunk);
        else {
          answer();
          controller.abort(new Error('the answer is too long'));
        }
      },
      onResponseEnd: () => {
        signal.removeEventListener('abort', abort);
        answer();
      },
      onResponseError: (_controller, error) => {
        signal.removeEventListener('abort', abort);
        reject(error);
      },
    };
    dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        upgrade: request.protocol,
        headers: { ...headers, ...request.headers },
      },
      handler,
    );
  });
}

function responseOf({ status, statusText, headers }: Refusal, body: Buffer): Response {
  const retryAfter = headers['retry-after'];
  return new Response(body.length === 0 ? null : body, {
    status,
    statusText,
    headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
  });
}
