/** One request to an API server. */
export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root of the server, with its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  /** Tries after the first; a create that is retried after a cut connection may meet its own object (409). */
  readonly retries?: number;
  /** Seconds that one try may take. */
  readonly timeoutSeconds?: number;
}

/** Gets what happens on the way to a server. */
export interface RequestObserver {
  /** Each request, for debug logs; bodies never reach it. */
  readonly request: (line: string) => void;
  /** When a server that answered before no longer does, and when it does again. */
  readonly outage: (line: string) => void;
}
