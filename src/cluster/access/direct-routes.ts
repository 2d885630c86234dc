import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Service } from '../../host/api/objects.ts';
import type { AccessInputs } from '../../inputs.ts';
import type { ClusterHandle } from '../identity/cluster-handle.ts';
import type { Kubeconfig } from './nested-kubeconfig.ts';
import { nodeAddresses, routes, throughProxies, type Route } from './routes.ts';
import { findService } from './service.ts';

/** Milliseconds after which the nodes of the host are listed again. */
const NODES_AGE = 15_000;

/** Which routes a job may take. */
export type AccessChoice = Pick<AccessInputs, 'apiAccess' | 'apiHost'>;

/** What the host has of ways to a nested API server. */
export interface Ways {
  readonly service: Service | undefined;
  /** All routes without a tunnel, the most direct first. */
  readonly routes: readonly Route[];
}

/** The routes to a nested API server that need no tunnel. */
export class DirectRoutes {
  readonly #client: KubernetesClient;
  readonly #handle: ClusterHandle;
  readonly #kubeconfig: Kubeconfig;
  readonly #env: NodeJS.ProcessEnv;
  #nodes: { readonly hosts: readonly string[]; readonly until: number };

  /** `env` names the proxies. */
  constructor(
    client: KubernetesClient,
    handle: ClusterHandle,
    kubeconfig: Kubeconfig,
    { apiAccess, apiHost }: AccessChoice,
    env: NodeJS.ProcessEnv,
  ) {
    this.#client = client;
    this.#handle = handle;
    this.#kubeconfig = kubeconfig;
    this.#env = env;
    const isListed = apiHost === undefined && apiAccess !== 'tunnel';
    this.#nodes = {
      hosts: apiHost === undefined ? [] : [apiHost],
      until: isListed ? 0 : Number.POSITIVE_INFINITY,
    };
  }

  /** The routes as the host has them now. */
  async find(): Promise<Ways> {
    const now = performance.now();
    // Read again, since nodes come and go; but not each second, since a host may have thousands.
    if (now > this.#nodes.until) this.#nodes = { hosts: await this.#nodeHosts(), until: now + NODES_AGE };
    // Read each time: a load balancer may get its address late.
    const service = await findService(this.#client, this.#handle);
    const direct = routes(this.#kubeconfig, service, this.#nodes.hosts);
    return { service, routes: direct.flatMap((route) => throughProxies(route, this.#client, this.#env)) };
  }

  /** By what names this job may reach a node of the host: the host's own API server often is one. */
  async #nodeHosts(): Promise<readonly string[]> {
    // Without the permission to list nodes (docs/rbac/host-reader.yaml), only the API server's address is tried.
    const nodes = await this.#client.list(Kinds.node).catch(() => []);
    return nodeAddresses(nodes, new URL(this.#client.rest.server).hostname);
  }
}

/** Whether the host is asked for a load balancer, and has no address for it yet. */
export function isBalancerAwaited({ service, routes: all }: Ways): boolean {
  return service?.spec?.type === 'LoadBalancer' && !all.some(({ kind }) => kind === 'load-balancer');
}
