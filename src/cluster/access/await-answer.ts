import { once } from 'node:events';
import { firstLineOf, KnestError } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { pause } from '../../retry.ts';
import type { ClusterHandle } from '../identity/cluster-handle.ts';
import { DirectRoutes, isBalancerAwaited, type AccessChoice } from './direct-routes.ts';
import { kubeconfigText } from './kubeconfig.ts';
import type { Kubeconfig } from './nested-kubeconfig.ts';
import { probe, PROBE_SECONDS, type Unanswered } from './probe.ts';
import { KINDS, tunnelRoute, type Failure, type Route } from './routes.ts';
import { accessBy, routed, type Access } from './find-access.ts';

/** Milliseconds between an answer by a direct route and the next question: short ones for a minute, then long ones. */
const PAUSE = { short: 250, long: 1_000, shortFor: 60_000 };
/** Milliseconds for which more direct routes may still answer after another one has. */
const GRACE = 250;
/** Milliseconds after which the host is asked again for an address of a load balancer. */
const RENEW_AFTER = 15_000;
/**
 * Milliseconds after which `auto` opens a tunnel when all that the direct routes gave is silence, and after which one that
 * could not be opened is tried again.
 */
const PATIENCE = { silence: 5_000, openAgain: 15_000 };
/** Routes that are asked: a host may have thousands of nodes. */
const MOST_ROUTES = 16;

/** What the questions take from outside. */
interface AnswerRuntime {
  /** Names the proxies. */
  readonly env: NodeJS.ProcessEnv;
  /** Ends them: the promise rejects with its reason then. */
  readonly signal: AbortSignal;
  /** Receives the reason while a tunnel cannot be opened. */
  readonly onNote: (line: string) => void;
  /** Opens a tunnel, and returns the address of its end here. */
  readonly openTunnel: () => Promise<string>;
}

/**
 * Asks a nested API server that may not run yet, again and again, until a route proves that it answers and has all of
 * `objects`. Returns the most direct route of those that answer first. A tunnel is opened at once when it is asked for;
 * under `auto` when no direct route leads anywhere. Never gives up before its signal aborts, but for a tunnel that was
 * asked for and that these credentials may not open (KNEST_PERMISSION, KNEST_OWNED_BY_OTHER).
 */
export async function awaitAnswer(
  client: KubernetesClient,
  handle: ClusterHandle,
  kubeconfig: Kubeconfig,
  choice: AccessChoice,
  objects: readonly string[],
  { env, signal, onNote, openTunnel }: AnswerRuntime,
  patience = PATIENCE,
): Promise<Access> {
  const { apiAccess } = choice;
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const began = performance.now();
  const found = Promise.withResolvers<undefined>();
  /** Whether a direct route leads somewhere, although nothing may be there yet. */
  let isReachable = false;
  /** Why routes have not answered when they were asked last, by their addresses and proxies. */
  const failures = new Map<string, Failure>();
  const ask = async (route: Route, until: AbortSignal): Promise<boolean> => {
    const unanswered = await probe(kubeconfigText(routed(kubeconfig, route), handle), until, objects);
    isReachable ||= leadsSomewhere(route, unanswered, client);
    if (unanswered === undefined) failures.delete(keyOf(route));
    else failures.set(keyOf(route), { route, problem: unanswered.problem });
    return unanswered === undefined;
  };
  const direct = async (): Promise<Route> => {
    const routes = new DirectRoutes(client, handle, kubeconfig, choice, env);
    for (;;) {
      const ways = await routes.find();
      found.resolve(undefined);
      const wanted = ways.routes.filter(({ kind }) => apiAccess === 'auto' || kind === apiAccess);
      const time = isBalancerAwaited(ways) ? AbortSignal.any([stop, AbortSignal.timeout(RENEW_AFTER)]) : stop;
      const route = await firstToAnswer(wanted.slice(0, MOST_ROUTES), ask, time, began);
      if (route !== undefined) return route;
      stop.throwIfAborted();
    }
  };
  const tunnelled = async (): Promise<Route> => {
    if (apiAccess === 'auto') {
      await found.promise;
      await pause(patience.silence, stop);
    }
    const server = isReachable
      ? undefined
      : await tunnelServer(choice, openTunnel, onNote, { stop, openAgain: patience.openAgain });
    const routes = server === undefined ? [] : [tunnelRoute(kubeconfig, server)];
    const route = await firstToAnswer(routes, ask, stop, began);
    if (route === undefined) throw stop.reason;
    // The API server has come up just now: a direct route that leads to it answers by now, too.
    if (apiAccess === 'auto') await pause(PROBE_SECONDS * 1000, stop);
    return route;
  };
  const works = [
    ...(apiAccess === 'tunnel' ? [] : [direct()]),
    ...(apiAccess === 'tunnel' || apiAccess === 'auto' ? [tunnelled()] : []),
  ];
  try {
    const route = await Promise.race(works);
    const isBefore = ({ route: { kind } }: Failure): boolean => KINDS.indexOf(kind) < KINDS.indexOf(route.kind);
    return accessBy(kubeconfig, route, [...failures.values()].filter(isBefore));
  } finally {
    ended.abort();
    found.resolve(undefined);
    await Promise.allSettled(works);
  }
}

/**
 * Whether a route leads to the cluster, so that its API server will answer there: a refused connection shows it. What a
 * proxy answers shows nothing, nor does a node port at the name of the host's API server, which is a guess.
 */
function leadsSomewhere(
  { kind, server, proxyUrl }: Route,
  unanswered: Unanswered | undefined,
  { rest }: KubernetesClient,
): boolean {
  const isGuess = proxyUrl !== undefined || (kind === 'node-port' && hostOf(server) === hostOf(rest.server));
  return kind !== 'tunnel' && !isGuess && (unanswered === undefined || !unanswered.isSilence);
}

function keyOf({ server, proxyUrl = '' }: Route): string {
  return `${server} ${proxyUrl}`;
}

function hostOf(address: string): string {
  return new URL(address).hostname;
}

/** Whether a tunnel may not be opened, however often it is tried. */
export function isForbidden(thrown: unknown): boolean {
  return thrown instanceof KnestError && ['KNEST_PERMISSION', 'KNEST_OWNED_BY_OTHER'].includes(thrown.code);
}

/** The end of a tunnel, however long it takes to open it; undefined when `auto` may not. */
async function tunnelServer(
  { apiAccess }: AccessChoice,
  openTunnel: () => Promise<string>,
  onNote: (line: string) => void,
  { stop, openAgain }: { readonly stop: AbortSignal; readonly openAgain: number },
): Promise<string | undefined> {
  for (let last = ''; ;) {
    try {
      return await openTunnel();
    } catch (thrown) {
      stop.throwIfAborted();
      const problem = firstLineOf(thrown);
      if (problem !== last) onNote(`no tunnel yet: ${problem}`);
      last = problem;
      if (isForbidden(thrown)) {
        if (apiAccess === 'tunnel') throw thrown;
        return undefined;
      }
    }
    await pause(openAgain, stop);
  }
}

/**
 * The most direct of the routes that answer first; undefined when the signal aborts before. `began`: when the questions
 * began, of performance.now().
 */
export async function firstToAnswer(
  candidates: readonly Route[],
  ask: (route: Route, stop: AbortSignal) => Promise<boolean>,
  signal: AbortSignal,
  began = performance.now(),
): Promise<Route | undefined> {
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const answered = new Set<Route>();
  // By a tunnel, each question is a port-forward of the host.
  const pauseBefore = ({ kind }: Route): number =>
    kind !== 'tunnel' && performance.now() - began < PAUSE.shortFor ? PAUSE.short : PAUSE.long;
  const askUntilAnswered = async (route: Route): Promise<void> => {
    while (!(await ask(route, stop))) await pause(pauseBefore(route), stop);
    answered.add(route);
    if (route === candidates[0]) ended.abort();
    else setTimeout(() => ended.abort(), GRACE);
  };
  if (candidates.length === 0 && !signal.aborted) await once(signal, 'abort');
  await Promise.allSettled(candidates.map(askUntilAnswered));
  return candidates.find((route) => answered.has(route));
}
