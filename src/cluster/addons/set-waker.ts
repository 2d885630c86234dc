import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { ClusterHandle } from '../identity/cluster-handle.ts';
import { askToLook } from '../status/wake.ts';
import { setName } from './resource-set.ts';

/** Milliseconds between two wakes, when nothing new runs: Cluster API waits ever longer by itself, up to 16 minutes. */
const WAKE_EVERY = 10_000;

/**
 * Has Cluster API try again to apply what it could not: a webhook of an add-on, for example, answers only once its
 * Deployment runs.
 */
export class SetWaker {
  readonly #client: KubernetesClient;
  readonly #cluster: ClusterHandle;
  /** Milliseconds of a clock that only goes forward. */
  readonly #now: () => number;
  #last: number;
  #running = 0;
  /** Whether these credentials may not: then Cluster API comes when it comes. */
  #isRefused = false;

  constructor(client: KubernetesClient, cluster: ClusterHandle, now: () => number = () => performance.now()) {
    this.#client = client;
    this.#cluster = cluster;
    this.#now = now;
    this.#last = now();
  }

  /** Wakes Cluster API when it is time. `running`: how many workloads run by now. Never rejects, and waits for nothing. */
  wake(running: number): void {
    const isNew = running > this.#running;
    this.#running = running;
    if (this.#isRefused || (!isNew && this.#now() - this.#last < WAKE_EVERY)) return;
    this.#last = this.#now();
    void this.#annotate();
  }

  async #annotate(): Promise<void> {
    const { name, namespace } = this.#cluster;
    this.#isRefused ||= !(await askToLook(this.#client, Kinds.clusterResourceSet, setName(name), namespace));
  }
}
