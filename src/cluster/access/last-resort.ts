import { KnestError } from '../../errors.ts';
import type { ApiAccess } from '../../inputs.ts';
import type { Kubeconfig } from './nested-kubeconfig.ts';
import { tunnelRoute, type Failure, type Route } from './routes.ts';

/** The tunnel of a job that has no better way, or wants no other. */
export class LastResort {
  readonly #open: () => Promise<string>;
  readonly #apiAccess: ApiAccess;
  readonly #until: number;
  #server: string | undefined;
  /** Why there is none. */
  readonly failures: Failure[] = [];

  /** `patience`: milliseconds for which direct routes are tried before. */
  constructor(open: () => Promise<string>, apiAccess: ApiAccess, patience: number) {
    this.#open = open;
    this.#apiAccess = apiAccess;
    this.#until = performance.now() + patience;
  }

  /**
   * Opens the tunnel once, when it is time for it. Resolves whether it has been opened now. Rejects when it cannot be opened
   * and was asked for; otherwise that is only noted.
   */
  async open(onNote: (line: string) => void): Promise<boolean> {
    const isWanted = this.#apiAccess === 'tunnel' || (this.#apiAccess === 'auto' && performance.now() >= this.#until);
    if (!isWanted || this.#server !== undefined || this.failures.length > 0) return false;
    try {
      this.#server = await this.#open();
      return true;
    } catch (thrown) {
      if (this.#apiAccess === 'tunnel' || !(thrown instanceof KnestError) || thrown.code === 'KNEST_TIMEOUT')
        throw thrown;
      const problem = [thrown.problem, ...thrown.evidence].join(': ');
      this.failures.push({ route: { kind: 'tunnel', server: 'to the host' }, problem });
      onNote(`no tunnel: ${problem}`);
      return false;
    }
  }

  /** The way through the tunnel, once it is open. */
  routes(kubeconfig: Kubeconfig): readonly Route[] {
    return this.#server === undefined ? [] : [tunnelRoute(kubeconfig, this.#server)];
  }
}
