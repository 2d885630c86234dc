import { setTimeout as delay } from 'node:timers/promises';
import type { Host } from '../host/host.ts';

/** Asks a nested API server every second whether it is ready, and records the longest gap. */
export class Probe {
  longestGap = 0;
  answers = 0;
  readonly #host: Host;
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;

  /** Begins at once. `kubeconfig`: the path of the nested cluster's. */
  constructor(host: Host, kubeconfig: string) {
    this.#host = host;
    this.#running = this.#run([
      'kubectl',
      '--kubeconfig',
      kubeconfig,
      '--request-timeout=2s',
      'get',
      '--raw',
      '/readyz',
    ]);
  }

  /** Asks no more. */
  async end(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  async #run(argv: readonly string[]): Promise<void> {
    let last = performance.now();
    while (!this.#ended.signal.aborted) {
      const answered = await this.#host.run(argv).then(
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
