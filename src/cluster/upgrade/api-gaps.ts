import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesClient } from '../../host/api/client.ts';
import { connectPlain } from '../../host/connect.ts';

/** Milliseconds between an answer and the next question. */
const PAUSE = 500;
/** Seconds after which a request counts as not answered. */
const REQUEST_SECONDS = 5;
/** What is asked: an object that every cluster has, so that etcd has to answer too. */
const PATH = '/api/v1/namespaces/kube-system';

/** The longest time without an answer, in seconds, and how many answers there were. */
export interface Gap {
  readonly seconds: number;
  readonly answers: number;
}

/**
 * Asks a nested API server again and again, on a new connection each time and on one that is kept: while its machine is
 * being replaced, a kept connection may hang when new ones are answered.
 */
export class ApiGaps {
  readonly #ended = new AbortController();
  readonly #fresh: Promise<Gap>;
  readonly #kept: Promise<Gap>;

  /** Begins at once. `kubeconfig`: the text of one that works; `signal` ends it too. */
  constructor(kubeconfig: string, signal: AbortSignal) {
    const kept = connectPlain(kubeconfig, signal);
    const ended = AbortSignal.any([signal, this.#ended.signal]);
    this.#fresh = longestGap(() => ask(connectPlain(kubeconfig, signal)), ended);
    this.#kept = longestGap(() => ask(kept), ended);
  }

  /** Asks no more. */
  async end(): Promise<{ readonly fresh: Gap; readonly kept: Gap }> {
    this.#ended.abort();
    return { fresh: await this.#fresh, kept: await this.#kept };
  }
}

async function ask({ rest }: KubernetesClient): Promise<void> {
  await rest.text({ method: 'GET', path: PATH, retries: 0, timeoutSeconds: REQUEST_SECONDS });
}

async function longestGap(request: () => Promise<void>, ended: AbortSignal): Promise<Gap> {
  let last = performance.now();
  let longest = 0;
  let answers = 0;
  while (!ended.aborted) {
    const isAnswered = await request().then(
      () => true,
      () => false,
    );
    const now = performance.now();
    longest = Math.max(longest, now - last);
    if (isAnswered) {
      last = now;
      answers += 1;
    }
    await delay(PAUSE, undefined, { signal: ended }).catch(() => undefined);
  }
  return { seconds: longest / 1000, answers };
}
