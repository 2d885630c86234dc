import { KnestError } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { Service } from '../../host/api/objects.ts';
import { pause } from '../../retry.ts';
import type { ApiAccess } from '../../inputs.ts';
import { DirectRoutes, isBalancerAwaited, type AccessChoice } from './direct-routes.ts';
import { LastResort } from './last-resort.ts';
import { kubeconfigText } from './kubeconfig.ts';
import type { Kubeconfig } from './nested-kubeconfig.ts';
import { probe } from './probe.ts';
import { KINDS, nameOf, type Failure, type Route } from './routes.ts';
import type { ClusterHandle } from '../identity/cluster-handle.ts';

/** What finding a way takes from outside. */
interface AccessRuntime {
  /** Names the proxies. */
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Told once what is waited for. */
  readonly onWait: (line: string) => void;
  /** Opens a tunnel, and returns the address of its end here. */
  readonly openTunnel: () => Promise<string>;
}

/** The route that works, with the kubeconfig that takes it. */
export interface Access {
  readonly kubeconfig: Kubeconfig;
  readonly route: Route;
  /** What was chosen and why, for people. */
  readonly reason: string;
}

/** Milliseconds for which `auto` tries direct routes before it opens a tunnel. */
const DIRECT_PATIENCE = 5_000;
/** Seconds for which all routes are tried again: an API server that has just come up may not be ready everywhere. */
const PATIENCE = { seconds: 60, pause: 1_000, direct: DIRECT_PATIENCE };
/** Node ports that are tried at the same time: a node that is cut off answers nothing for seconds. */
const PROBES_AT_ONCE = 64;
/** Failures that an error lists. */
const SHOWN_FAILURES = 12;

/**
 * Finds a way to the nested API server that works from this very job, proved by a request. A tunnel is the last one: it is
 * opened when it is asked for, or when no direct way has worked for 5 s. `apiHost` is the address by which the job
 * reaches the host's nodes. A load balancer that was asked for may take any time to get its address:
 * only `signal` ends the wait for that. Throws KNEST_API_ACCESS with what each way answered.
 */
export async function findAccess(
  client: KubernetesClient,
  handle: ClusterHandle,
  kubeconfig: Kubeconfig,
  choice: AccessChoice,
  { env, signal, onWait, openTunnel }: AccessRuntime,
  patience = PATIENCE,
): Promise<Access> {
  const { apiAccess } = choice;
  const direct = new DirectRoutes(client, handle, kubeconfig, choice, env);
  const tunnel = new LastResort(openTunnel, apiAccess, patience.direct);
  let deadline = performance.now() + patience.seconds * 1000;
  let wasAwaited = false;
  for (;;) {
    const asked = performance.now();
    const ways = await direct.find();
    const { service } = ways;
    // The nested API server has its minute, however long the host takes to answer.
    deadline += performance.now() - asked;
    const possible = [...ways.routes, ...tunnel.routes(kubeconfig)];
    const wanted = possible.filter(({ kind }) => apiAccess === 'auto' || kind === apiAccess);
    const failures: Failure[] = [];
    for (const kind of KINDS) {
      const found = await firstThatWorks(
        wanted.filter((route) => route.kind === kind),
        async (route) => (await probe(kubeconfigText(routed(kubeconfig, route), handle), signal))?.problem,
      );
      if ('route' in found) return accessBy(kubeconfig, found.route, failures);
      failures.push(...found.failures);
    }
    if (await tunnel.open(onWait)) {
      deadline = performance.now() + patience.seconds * 1000;
      continue;
    }
    failures.push(...tunnel.failures);
    const isAwaited =
      isBalancerAwaited(ways) &&
      (apiAccess === 'load-balancer' || (apiAccess === 'auto' && tunnel.failures.length > 0));
    // The API server has its minute to answer there from when there is an address.
    if (isAwaited) {
      if (!wasAwaited)
        onWait(`the host has no address for the load balancer of Service ${service?.metadata.name ?? handle.name} yet`);
      deadline = performance.now() + patience.seconds * 1000;
      wasAwaited = true;
    } else if (performance.now() > deadline) throw noAccess(handle, apiAccess, failures, service);
    await pause(patience.pause, signal).catch((thrown: unknown) => {
      const name = `Service ${handle.namespace}/${service?.metadata.name ?? handle.name}`;
      const lack = `${name} (LoadBalancer) has no address: the host has no load-balancer controller, or it has not assigned one yet`;
      throw isAwaited && thrown instanceof KnestError && thrown.code === 'KNEST_TIMEOUT'
        ? thrown.with(lack, ...shown(failures))
        : thrown;
    });
  }
}

/** What a job gets by a route, after others failed. */
export function accessBy(kubeconfig: Kubeconfig, route: Route, failures: readonly Failure[] = []): Access {
  return { kubeconfig: routed(kubeconfig, route), route, reason: reasonFor(route, failures) };
}

/** The kubeconfig that takes a route. */
export function routed(kubeconfig: Kubeconfig, { server, tlsServerName, proxyUrl }: Route): Kubeconfig {
  return { ...kubeconfig, server, tlsServerName, proxyUrl };
}

/**
 * The first of these routes, in their order, that works; else why none does. Several are tried at once, and an answer of
 * a later one is taken only when all before it have failed.
 */
export async function firstThatWorks(
  candidates: readonly Route[],
  problemOf: (route: Route) => Promise<string | undefined>,
): Promise<{ readonly route: Route } | { readonly failures: readonly Failure[] }> {
  const failures: Failure[] = [];
  for (let from = 0; from < candidates.length; from += PROBES_AT_ONCE) {
    const some = candidates.slice(from, from + PROBES_AT_ONCE);
    const problems = await Promise.all(some.map(problemOf));
    for (const [index, route] of some.entries()) {
      const problem = problems[index];
      if (problem === undefined) return { route };
      failures.push({ route, problem });
    }
  }
  return { failures };
}

/** Failures for people: of a large host, not one for each node. */
function shown(failures: readonly Failure[]): readonly string[] {
  const rest = failures.length - SHOWN_FAILURES;
  return [...failures.slice(0, SHOWN_FAILURES).map(describe), ...(rest > 0 ? [`and ${rest} more`] : [])];
}

function describe({ route, problem }: Failure): string {
  return `${nameOf(route)} ${route.server}: ${problem}`;
}

function reasonFor(route: Route, failures: readonly Failure[]): string {
  const { hostname } = new URL(route.server);
  const others = [...new Set(failures.map(({ route }) => nameOf(route)))].join(', ');
  const because = others === '' ? '' : `; ${others} did not answer`;
  return `${nameOf(route)} (this job reaches ${hostname}${because})`;
}

function noAccess(
  { name, namespace }: ClusterHandle,
  apiAccess: ApiAccess,
  failures: readonly Failure[],
  service: Service | undefined,
): KnestError {
  const tunnel = failures.some(({ route }) => route.kind === 'tunnel') ? '' : 'use api-access: tunnel, ';
  return new KnestError({
    code: 'KNEST_API_ACCESS',
    problem: `${name} runs, but its API server cannot be reached from this job (api-access: ${apiAccess})`,
    evidence:
      failures.length > 0
        ? shown(failures)
        : [
            `Service ${namespace}/${service?.metadata.name ?? name} (${service?.spec?.type ?? 'missing'}) does not support api-access: ${apiAccess}`,
          ],
    next:
      service?.spec?.type === 'ClusterIP'
        ? `${tunnel}run the job in the host cluster, or create the cluster with api-access: node-port or load-balancer`
        : `${tunnel}run the job in the host cluster, set api-host to a node that it reaches, or api-access: load-balancer`,
  });
}
