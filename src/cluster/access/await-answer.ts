import { once } from 'node:events';
import type { KubernetesClient } from '../../host/api/client.ts';
import { pause } from '../../retry.ts';
import type { ClusterHandle } from '../identity/cluster-handle.ts';
import { DirectRoutes, isBalancerAwaited, type AccessChoice } from './direct-routes.ts';
import { kubeconfigText } from './kubeconfig.ts';
import type { Kubeconfig } from './nested-kubeconfig.ts';
import { probe, type Unanswered } from './probe.ts';
import { tunnelRoute, type Route } from './routes.ts';
import { accessBy, routed, type Access } from './try-routes.ts';

/** Milliseconds between an answer by a route and the next question: short ones for a minute, then longer ones. */
const PAUSE = { short: 250, long: 1_000, shortFor: 60_000 };
/** Milliseconds for which more direct routes may still answer after another one has. */
const GRACE = 250;
/** Milliseconds after which the host is asked again for an address of a load balancer. */
const RENEW_AFTER = 15_000;
/** Milliseconds after which `auto` opens a tunnel when all that the direct routes gave is silence. */
const SILENCE = 5_000;
/** Routes that are asked: a host may have thousands of nodes. */
const MOST_ROUTES = 16;

/** What the questions take from outside. */
interface AnswerRuntime {
  /** Names the proxies. */
  readonly env: NodeJS.ProcessEnv;
  /** Ends them: the promise rejects with its reason then. */
  readonly signal: AbortSignal;
  /** Opens a tunnel, and returns the address of its end here. */
  readonly openTunnel: () => Promise<string>;
}

/**
 * Asks a nested API server that may not run yet, again and again, until a route proves that it answers and has all of
 * `objects`. Returns the most direct route of those that answer first. A tunnel is opened at once when it is asked for;
 * under `auto` when no direct route leads anywhere. Never gives up before its signal aborts; rejects when the tunnel that
 * was asked for cannot be opened.
 */
export async function awaitAnswer(
  client: KubernetesClient,
  handle: ClusterHandle,
  kubeconfig: Kubeconfig,
  choice: AccessChoice,
  objects: readonly string[],
  { env, signal, openTunnel }: AnswerRuntime,
  silence = SILENCE,
): Promise<Access> {
  const { apiAccess } = choice;
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  /** Whether a direct route leads somewhere, although nothing may be there yet. */
  let isReachable = false;
  const ask = async (route: Route, until: AbortSignal): Promise<boolean> => {
    const unanswered = await probe(kubeconfigText(routed(kubeconfig, route), handle), until, objects);
    if (route.kind !== 'tunnel') isReachable ||= leadsSomewhere(unanswered);
    return unanswered === undefined;
  };
  const direct = async (): Promise<Route> => {
    const routes = new DirectRoutes(client, handle, kubeconfig, choice, env);
    for (;;) {
      const ways = await routes.find();
      const wanted = ways.routes.filter(({ kind }) => apiAccess === 'auto' || kind === apiAccess);
      const time = isBalancerAwaited(ways) ? AbortSignal.any([stop, AbortSignal.timeout(RENEW_AFTER)]) : stop;
      const found = await firstToAnswer(wanted.slice(0, MOST_ROUTES), ask, time);
      if (found !== undefined) return found;
      stop.throwIfAborted();
    }
  };
  const tunnelled = async (): Promise<Route> => {
    if (apiAccess === 'auto') await pause(silence, stop);
    const server = isReachable ? undefined : await tunnelServer(choice, openTunnel);
    const routes = server === undefined ? [] : [tunnelRoute(kubeconfig, server)];
    const found = await firstToAnswer(routes, ask, stop);
    if (found !== undefined) return found;
    throw stop.reason;
  };
  const works = [
    ...(apiAccess === 'tunnel' ? [] : [direct()]),
    ...(apiAccess === 'tunnel' || apiAccess === 'auto' ? [tunnelled()] : []),
  ];
  try {
    return accessBy(kubeconfig, await Promise.race(works));
  } finally {
    ended.abort();
    await Promise.allSettled(works);
  }
}

function leadsSomewhere(unanswered: Unanswered | undefined): boolean {
  return unanswered === undefined || !unanswered.isSilence;
}

/** The end of a tunnel; undefined when it cannot be opened, and was not asked for. */
async function tunnelServer(
  { apiAccess }: AccessChoice,
  openTunnel: () => Promise<string>,
): Promise<string | undefined> {
  try {
    return await openTunnel();
  } catch (thrown) {
    // The step that hands the kubeconfig over tries all routes, and says why this one is not among them.
    if (apiAccess === 'tunnel') throw thrown;
    return undefined;
  }
}

/** The most direct of the routes that answer first; undefined when the signal aborts before. */
export async function firstToAnswer(
  candidates: readonly Route[],
  ask: (route: Route, stop: AbortSignal) => Promise<boolean>,
  signal: AbortSignal,
): Promise<Route | undefined> {
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const answered = new Set<Route>();
  const began = performance.now();
  const askUntilAnswered = async (route: Route): Promise<void> => {
    while (!(await ask(route, stop)))
      await pause(performance.now() - began < PAUSE.shortFor ? PAUSE.short : PAUSE.long, stop);
    answered.add(route);
    if (route === candidates[0]) ended.abort();
    else setTimeout(() => ended.abort(), GRACE);
  };
  if (candidates.length === 0 && !signal.aborted) await once(signal, 'abort');
  await Promise.allSettled(candidates.map(askUntilAnswered));
  return candidates.find((route) => answered.has(route));
}
