import { once } from 'node:events';
import type { KubernetesClient } from '../../host/api/client.ts';
import { pause } from '../../retry.ts';
import type { ClusterHandle } from '../identity/cluster-handle.ts';
import { DirectRoutes, isBalancerAwaited, type AccessChoice } from './direct-routes.ts';
import { kubeconfigText } from './kubeconfig.ts';
import type { Kubeconfig } from './nested-kubeconfig.ts';
import { probe } from './probe.ts';
import type { Route } from './routes.ts';
import { accessBy, routed, type Access } from './try-routes.ts';

/** Milliseconds between an answer by a route and the next question: short ones for a minute, then longer ones. */
const PAUSE = { short: 250, long: 1_000, shortFor: 60_000 };
/** Milliseconds for which more direct routes may still answer after another one has. */
const GRACE = 250;
/** Milliseconds after which the host is asked again for an address of a load balancer. */
const RENEW_AFTER = 15_000;
/** Routes that are asked: a host may have thousands of nodes. */
const MOST_ROUTES = 16;

/** What the questions take from outside. */
interface AnswerRuntime {
  /** Names the proxies. */
  readonly env: NodeJS.ProcessEnv;
  /** Ends them: the promise rejects with its reason then. */
  readonly signal: AbortSignal;
}

/**
 * Asks a nested API server by every route without a tunnel, again and again, until one proves that it answers and has all
 * of `objects`. Returns the most direct route of those that answer first. Never gives up: not before its signal aborts.
 */
export async function awaitAnswer(
  client: KubernetesClient,
  handle: ClusterHandle,
  kubeconfig: Kubeconfig,
  choice: AccessChoice,
  objects: readonly string[],
  { env, signal }: AnswerRuntime,
): Promise<Access> {
  const direct = new DirectRoutes(client, handle, kubeconfig, choice, env);
  const ask = async (route: Route, stop: AbortSignal): Promise<boolean> =>
    (await probe(kubeconfigText(routed(kubeconfig, route), handle), stop, objects)) === undefined;
  for (;;) {
    const ways = await direct.find();
    const wanted = ways.routes.filter(({ kind }) => choice.apiAccess === 'auto' || kind === choice.apiAccess);
    const time = isBalancerAwaited(ways) ? AbortSignal.any([signal, AbortSignal.timeout(RENEW_AFTER)]) : signal;
    const found = await firstToAnswer(wanted.slice(0, MOST_ROUTES), ask, time);
    if (found !== undefined) return accessBy(kubeconfig, found);
    signal.throwIfAborted();
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
