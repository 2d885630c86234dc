import type { KubernetesClient } from '../../host/api/client.ts';
import { conditionOf, type Node, type Service } from '../../host/api/objects.ts';
import { proxyFor } from '../../host/kubeconfig/proxy.ts';
import type { ApiAccess } from '../../inputs.ts';
import { httpsAddress, withoutBrackets } from '../../values/https-address.ts';
import { shownAddress } from '../../values/url-credentials.ts';
import type { Kubeconfig } from './nested-kubeconfig.ts';

/** Kinds of routes, the most direct first. */
export const KINDS = ['cluster-ip', 'load-balancer', 'node-port', 'tunnel'] as const;

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
export interface Failure {
  readonly route: Pick<Route, 'kind' | 'server' | 'proxyUrl'>;
  readonly problem: string;
}

/** All ways there may be, the most direct first. `nodes`: hosts by which this job may reach a node of the host. */
export function routes(
  kubeconfig: Kubeconfig,
  service: Service | undefined,
  nodes: readonly string[],
): readonly Route[] {
  const { server: direct, tlsServerName: given } = kubeconfig;
  const tlsServerName = nameInCertificate(kubeconfig);
  const ingress = service?.status?.loadBalancer?.ingress?.[0];
  const balancer = ingress?.ip ?? ingress?.hostname;
  const port = service?.spec?.ports?.[0];
  const nodePort = port?.nodePort;
  return [
    { kind: 'cluster-ip', server: direct, tlsServerName: given },
    ...(balancer === undefined
      ? []
      : [{ kind: 'load-balancer', server: httpsAddress(balancer, port?.port ?? 6443), tlsServerName } as const]),
    ...(nodePort === undefined
      ? []
      : nodes.map((node) => ({ kind: 'node-port', server: httpsAddress(node, nodePort), tlsServerName }) as const)),
  ];
}

/** The way through a tunnel whose end here has that address. No proxy is used for 127.0.0.1. */
export function tunnelRoute(kubeconfig: Kubeconfig, server: string): Route {
  return { kind: 'tunnel', server, tlsServerName: nameInCertificate(kubeconfig) };
}

function nameInCertificate({ server, tlsServerName }: Kubeconfig): string {
  return tlsServerName ?? withoutBrackets(new URL(server).hostname);
}

/** The host's API server, then the external addresses of all nodes, then the internal ones: Ready nodes before others. */
export function nodeAddresses(nodes: readonly Node[], apiServer: string): readonly string[] {
  const ready = nodes.filter((node) => conditionOf(node, 'Ready')?.status === 'True');
  // On a host whose nodes all are in trouble, one may still forward.
  const usable = ready.length > 0 ? ready : nodes;
  const named = ['ExternalIP', 'InternalIP'].flatMap((wanted) =>
    usable.flatMap(({ status }) => (status?.addresses ?? []).filter(({ type }) => type === wanted)),
  );
  return [...new Set([apiServer, ...named.map(({ address }) => address)])];
}

/** A route as the environment has it, and through the proxy that leads to the host: that may be the only way in. */
export function throughProxies(route: Route, { rest }: KubernetesClient, env: NodeJS.ProcessEnv): readonly Route[] {
  const usual = proxyFor(route.server, env);
  const proxies = [...new Set([usual, ...(rest.proxyUrl === '' ? [] : [rest.proxyUrl])])];
  return proxies.map((proxy) => ({ ...route, proxyUrl: proxy === '' ? undefined : proxy }));
}

/** A route for people. */
export function nameOf({ kind, proxyUrl }: Pick<Route, 'kind' | 'proxyUrl'>): string {
  return proxyUrl === undefined ? kind : `${kind} through the proxy ${shownAddress(proxyUrl)}`;
}
