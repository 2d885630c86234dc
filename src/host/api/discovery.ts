import { hasStatus } from './api-error.ts';
import type { Kind } from './kinds.ts';
import type { KubernetesObject } from './objects.ts';
import { rootOf } from './paths.ts';
import type { RestClient } from './rest.ts';

/** What identifies the kind of an object. */
export type KindReference = Pick<KubernetesObject, 'apiVersion' | 'kind'>;

/** A kind as the API server describes it. */
interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Where kinds live that the action does not know by itself. */
export class Discovery {
  readonly #rest: RestClient;
  readonly #resources = new Map<string, Promise<readonly ApiResource[]>>();

  constructor(rest: RestClient) {
    this.#rest = rest;
  }

  /** The kind of an object, asked of the host once for each API group; undefined when it serves none. */
  async find({ apiVersion, kind }: KindReference): Promise<Kind | undefined> {
    const resources = await this.#ask(apiVersion);
    const resource = resources.find(({ kind: served, name }) => served === kind && !name.includes('/'));
    if (resource !== undefined) return { apiVersion, kind, plural: resource.name, namespaced: resource.namespaced };
    // It may be served later, once a component is installed.
    this.#resources.delete(apiVersion);
    return undefined;
  }

  /** The names of the resources in an API group, whatever their version; none when the host does not serve it. */
  async namesIn(group: string): Promise<ReadonlySet<string>> {
    const { versions } = await this.#rest
      .json<{ versions: readonly { groupVersion: string }[] }>({ method: 'GET', path: `/apis/${group}` })
      .catch((thrown: unknown) => {
        if (hasStatus(thrown, 404)) return { versions: [] };
        throw thrown;
      });
    const resources = await Promise.all(versions.map(({ groupVersion }) => this.#ask(groupVersion)));
    return new Set(resources.flat().map(({ name }) => name));
  }

  async #ask(apiVersion: string): Promise<readonly ApiResource[]> {
    const known = this.#resources.get(apiVersion);
    if (known !== undefined) return known;
    const asked = this.#rest
      .json<{ resources: ApiResource[] }>({ method: 'GET', path: rootOf(apiVersion) })
      .then(({ resources }) => resources)
      .catch((thrown: unknown) => {
        this.#resources.delete(apiVersion);
        if (hasStatus(thrown, 404)) return [];
        throw thrown;
      });
    this.#resources.set(apiVersion, asked);
    return asked;
  }
}
