import { setTimeout as delay } from 'node:timers/promises';
import type { Host } from '../host/host.ts';

/** Asks something every second whether it answers, and records the longest gap in seconds. */
export class Probe {
  longestGap = 0;
  answers = 0;
  readonly #ask: () => Promise<unknown>;
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;

  /** Begins at once. `ask` rejects without an answer. */
  constructor(ask: () => Promise<unknown>) {
    this.#ask = ask;
    this.#running = this.#run();
  }

  /** Asks no more. */
  async end(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let last = performance.now();
    while (!this.#ended.signal.aborted) {
      const answered = await this.#ask().then(
        () => true,
        () => false,
      );
      const now = performance.now();
      this.longestGap = Math.max(this.longestGap, (now - last) / 1000);
      if (answered) {
        last = now;
        this.answers++;
      }
      await delay(1_000);
    }
  }
}

/** Asks a nested API server whether it is ready. `kubeconfig`: the path of the nested cluster's. */
export function probeApi(host: Host, kubeconfig: string): Probe {
  const readyz = ['--request-timeout=2s', 'get', '--raw', '/readyz'];
  return new Probe(() => host.run(['kubectl', '--kubeconfig', kubeconfig, ...readyz]));
}
