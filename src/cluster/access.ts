import { firstLineOf, KnestError } from '../errors.ts';
import type { KubernetesClient } from '../host/client.ts';
import { enterPlain } from '../host/connect.ts';
import { Kinds } from '../host/kinds.ts';
import type { Service } from '../host/objects.ts';
import { proxyFor } from '../host/proxy.ts';
import { hasStatus } from '../host/rest.ts';
import { pause } from '../host/retry.ts';
import type { ApiAccess } from '../inputs.ts';
import { shownAddress } from '../values/url-credentials.ts';
import { kubeconfigText } from './kubeconfig.ts';
import type { Kubeconfig } from './nested-kubeconfig.ts';
import { findService } from './service.ts';
import type { ClusterHandle } from './view.ts';

/** A way to the nested API server. */
export interface Route {
  readonly kind: Exclude<ApiAccess, 'auto'>;
  readonly server: string;
  /** The name in the server's certificate, when it is not the address. */
  readonly tlsServerName: string | undefined;
  /** The proxy that it takes; undefined for none. May have a password. */
  readonly proxyUrl?: string | undefined;
}

/** A route that does not work, and why. */
interface Failure {
  readonly route: Route;
  readonly problem: string;
}

/** The route that works, with the kubeconfig that takes it. */
export interface Access {
  readonly kubeconfig: Kubeconfig;
  readonly route: Route;
  /** What was chosen and why, for people. */
  readonly reason: string;
}

const PROBE_SECONDS = 3;
/** Seconds for which all routes are tried again: an API server that has just come up may not be ready everywhere. */
const PATIENCE_SECONDS = 60;
const RETRY_AFTER = 1_000;

/**
 * Finds a way to the nested API server that works from this very job, proved by a request. `apiHost` is the address
 * by which the job reaches the host's nodes. Throws KNEST_API_ACCESS with what each way answered.
 */
export async function findAccess(
  client: KubernetesClient,
  handle: ClusterHandle,
  kubeconfig: Kubeconfig,
  { apiAccess, apiHost }: { readonly apiAccess: ApiAccess; readonly apiHost: string | undefined },
  { env, signal }: { readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal },
): Promise<Access> {
  const deadline = performance.now() + PATIENCE_SECONDS * 1000;
  const nodes = apiHost === undefined ? await nodeHosts(client) : [apiHost];
  for (;;) {
    // Read each time: a load balancer may get its address late.
    const service = await findService(client, handle);
    const all = routes(kubeconfig, service, nodes).flatMap((route) => throughProxies(route, client, env));
    const wanted = all.filter(({ kind }) => apiAccess === 'auto' || kind === apiAccess);
    const failures: Failure[] = [];
    for (const route of wanted) {
      const { server, tlsServerName, proxyUrl } = route;
      const routed = { ...kubeconfig, server, tlsServerName, proxyUrl };
      const problem = await probe(kubeconfigText(routed, handle), signal);
      if (problem === undefined) return { kubeconfig: routed, route, reason: reasonFor(route, failures) };
      failures.push({ route, problem });
    }
    if (performance.now() > deadline) throw noAccess(handle, apiAccess, failures, service);
    await pause(RETRY_AFTER, signal);
  }
}

/** By what names this job may reach a node of the host: the host's own API server often is one. */
async function nodeHosts(client: KubernetesClient): Promise<readonly string[]> {
  // Nodes belong to administrators: whoever may not list them tries the API server's address alone.
  const [node] = await client.list(Kinds.node).catch(() => []);
  const addresses = node?.status?.addresses ?? [];
  const named = ['ExternalIP', 'InternalIP'].flatMap((wanted) =>
    addresses.filter(({ type }) => type === wanted).map(({ address }) => address),
  );
  return [...new Set([new URL(client.rest.server).hostname, ...named])];
}

/** All ways there may be, the most direct first. `nodes`: hosts by which this job may reach a node of the host. */
export function routes(
  kubeconfig: Kubeconfig,
  service: Service | undefined,
  nodes: readonly string[],
): readonly Route[] {
  const { server: direct, tlsServerName: given } = kubeconfig;
  const tlsServerName = given ?? withoutBrackets(new URL(direct).hostname);
  const ingress = service?.status?.loadBalancer?.ingress?.[0];
  const balancer = ingress?.ip ?? ingress?.hostname;
  const port = service?.spec?.ports?.[0];
  const nodePort = port?.nodePort;
  return [
    { kind: 'cluster-ip', server: direct, tlsServerName: given },
    ...(balancer === undefined
      ? []
      : [{ kind: 'load-balancer', server: address(balancer, port?.port ?? 6443), tlsServerName } as const]),
    ...(nodePort === undefined
      ? []
      : nodes.map((node) => ({ kind: 'node-port', server: address(node, nodePort), tlsServerName }) as const)),
  ];
}

function address(host: string, port: number): string {
  return `https://${host.includes(':') ? `[${withoutBrackets(host)}]` : host}:${port}`;
}

/** An IPv6 address as a certificate names it. */
function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

/** A route as the environment has it, and by the proxy that leads to the host: that may be the only way in. */
function throughProxies(route: Route, { rest }: KubernetesClient, env: NodeJS.ProcessEnv): readonly Route[] {
  const usual = proxyFor(route.server, env);
  const proxies = [...new Set([usual, ...(rest.proxyUrl === '' ? [] : [rest.proxyUrl])])];
  return proxies.map((proxy) => ({ ...route, proxyUrl: proxy === '' ? undefined : proxy }));
}

/** A route for people. */
function nameOf({ kind, proxyUrl }: Route): string {
  return proxyUrl === undefined ? kind : `${kind} by the proxy ${shownAddress(proxyUrl)}`;
}

/** Why a route does not work; undefined when it does. */
async function probe(kubeconfig: string, signal: AbortSignal): Promise<string | undefined> {
  const client = enterPlain(kubeconfig, signal);
  const once = { method: 'GET', retries: 0, timeoutSeconds: PROBE_SECONDS } as const;
  try {
    await client.rest.text({ ...once, path: '/readyz' });
    return undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    // Cluster API's in-memory API server has no health endpoints.
    if (!hasStatus(thrown, 404)) return firstLineOf(thrown);
  }
  try {
    await client.rest.json({ ...once, path: '/api/v1/namespaces/kube-system' });
    return undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    return firstLineOf(thrown);
  }
}

function reasonFor(route: Route, failures: readonly Failure[]): string {
  const { hostname } = new URL(route.server);
  const because =
    failures.length === 0 ? '' : `; ${failures.map(({ route }) => nameOf(route)).join(', ')} did not answer`;
  return `${nameOf(route)} (this job reaches ${hostname}${because})`;
}

function noAccess(
  { name, namespace }: ClusterHandle,
  apiAccess: ApiAccess,
  failures: readonly Failure[],
  service: Service | undefined,
): KnestError {
  return new KnestError({
    code: 'KNEST_API_ACCESS',
    problem: `${name} runs, but its API server cannot be reached from this job (api-access: ${apiAccess})`,
    evidence:
      failures.length > 0
        ? failures.map(({ route: tried, problem }) => `${nameOf(tried)} ${tried.server}: ${problem}`)
        : [
            `Service ${namespace}/${service?.metadata.name ?? name} (${service?.spec?.type ?? 'not there'}) offers no ${apiAccess}`,
          ],
    next: 'run the job in the host cluster, set api-host to a node that it reaches, or api-access: load-balancer',
  });
}
