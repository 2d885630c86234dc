import { mapConcurrently } from '../../values/concurrency.ts';
import type { KubernetesClient } from './client.ts';
import { pathOf, query, type Selection } from './paths.ts';
import type { Kind } from './kinds.ts';
import type { KubernetesObject } from './objects.ts';
import { ApiError, hasStatus, isTransient } from './api-error.ts';
import { linesOf } from './stream-lines.ts';
import { pause, pauseAfter } from '../../retry.ts';

/** One kind to keep an eye on. */
export interface WatchTarget<T extends KubernetesObject = KubernetesObject> {
  readonly kind: Kind<T>;
  readonly selection: Selection;
  /** Objects by `namespace/name`, or name where there is no namespace; kept up to date while the watch runs. */
  readonly objects: Map<string, T>;
  /** Objects that are got one by one, of a kind that no account should need to list; else the selection is listed. */
  readonly byName?: ByName;
}

/** Objects of which the names are known. */
interface ByName {
  /** Asked for again in each round. */
  readonly names: () => Iterable<string>;
  /** Whether something may be about to change: if not, most rounds are left out, to spare the host. */
  readonly isPressing: () => boolean;
  /** When the last whole round began, of performance.now(): what was got before that may no longer be true. */
  readonly lastRound: { began: number };
  /** Whether an object of such a name counts. */
  readonly isMeant: (object: KubernetesObject) => boolean;
}

/** A kind that cannot be watched, and so looks as if there were no objects of it. */
export interface Unavailable {
  readonly kind: Kind;
  /** Whether these credentials may not look; else the host does not serve the kind, and there are none. */
  readonly isForbidden: boolean;
  readonly reason: string;
}

/** A target that has not been listed yet. */
export function watchTarget<T extends KubernetesObject>(kind: Kind<T>, selection: Selection): WatchTarget<T> {
  return { kind, selection, objects: new Map() };
}

/** A target whose objects are got by their names. */
export function namedTarget<T extends KubernetesObject>(
  kind: Kind<T>,
  namespace: string,
  names: ByName['names'],
  { isMeant = () => true, isPressing = () => true }: Partial<Pick<ByName, 'isMeant' | 'isPressing'>> = {},
): WatchTarget<T> {
  return {
    ...watchTarget(kind, { namespace }),
    byName: { names, isMeant, isPressing, lastRound: { began: Number.NEGATIVE_INFINITY } },
  };
}

/** Whether a target is known as it was at that time, of performance.now(), or later. */
export function isKnownSince({ byName }: WatchTarget, time: number): boolean {
  return byName === undefined || byName.lastRound.began >= time;
}

function keyOf({ metadata: { namespace, name } }: KubernetesObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** Seconds after which the server ends a watch; below the five minutes at which proxies like to cut. */
const WATCH_SECONDS = 280;
/** Milliseconds before a broken watch is opened again, the first time; longer when it breaks again and again. */
const REOPEN_AFTER = 500;
/** Milliseconds after which a watch counts as one that works. */
const STEADY_AFTER = 10_000;

/**
 * Lists, then watches, and calls `onChange` after each change, until the signal aborts. What is known by its names is got
 * again and again instead, and `onChange` called each time.
 * A cut or expired watch starts over from a list. Resolves once the signal aborts; rejects when a list does
 * (after its retries). A kind that is not served, or not allowed, is empty: `onUnavailable` is called with the reason.
 * Without it, a kind that is not allowed rejects: otherwise a wait without events would go unnoticed.
 */
export async function watch<T extends KubernetesObject>(
  client: KubernetesClient,
  target: WatchTarget<T>,
  onChange: () => void,
  signal: AbortSignal,
  onUnavailable?: (unavailable: Unavailable) => void,
): Promise<void> {
  const { kind } = target;
  let failures = 0;
  while (!isAborted(signal)) {
    const began = performance.now();
    try {
      if (target.byName !== undefined) {
        await poll(client, target, target.byName, onChange, signal);
        return;
      }
      const { items, resourceVersion } = await client.listAt(target.kind, target.selection);
      target.objects.clear();
      for (const item of items) target.objects.set(keyOf(item), item);
      onChange();
      if (resourceVersion === undefined) {
        onUnavailable?.({ kind, isForbidden: false, reason: `the host does not serve ${kind.kind}` });
        return;
      }
      await stream(client, target, resourceVersion, onChange, signal);
    } catch (thrown) {
      if (isAborted(signal)) return;
      if (hasStatus(thrown, 403) && onUnavailable !== undefined) {
        target.objects.clear();
        if (target.byName !== undefined) target.byName.lastRound.began = Number.POSITIVE_INFINITY;
        onUnavailable({ kind, isForbidden: true, reason: `${kind.plural}: ${thrown.message}` });
        return;
      }
      // Whatever cut the stream, also a version too old to watch from, the list that follows is current; if the
      // server is gone, the list rejects.
      if (!(thrown instanceof StreamEnd) && !hasStatus(thrown, 410)) throw thrown;
    }
    failures = performance.now() - began > STEADY_AFTER ? 1 : failures + 1;
    await pause(pauseAfter(failures, REOPEN_AFTER), signal).catch(() => undefined);
  }
}

/** Milliseconds between two rounds in which objects are got by their names: at least so many, and so many for each. */
const ROUND_PAUSE = { least: 1_000, each: 10 };
/** Milliseconds between two rounds at most, when nothing is pressing. */
const CALM_PAUSE = 10_000;
/** How many objects are got at once. */
const GETS_AT_ONCE = 4;

/** Gets the named objects of a target in rounds until the signal aborts. Rejects as `get` does. */
async function poll<T extends KubernetesObject>(
  client: KubernetesClient,
  { kind, selection: { namespace }, objects }: WatchTarget<T>,
  { names, isMeant, isPressing, lastRound }: ByName,
  onChange: () => void,
  signal: AbortSignal,
): Promise<void> {
  while (!isAborted(signal)) {
    const began = performance.now();
    const asked = [...names()];
    const found = await mapConcurrently(asked, GETS_AT_ONCE, async (name) =>
      isAborted(signal) ? undefined : client.get(kind, name, namespace),
    );
    if (isAborted(signal)) return;
    objects.clear();
    for (const object of found) if (object !== undefined && isMeant(object)) objects.set(keyOf(object), object);
    lastRound.began = began;
    onChange();
    do {
      await pause(Math.max(ROUND_PAUSE.least, asked.length * ROUND_PAUSE.each), signal).catch(() => undefined);
    } while (!isAborted(signal) && !isPressing() && performance.now() - began < CALM_PAUSE);
  }
}

/** Asked through a function, since it may change between two looks in one block. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Milliseconds after which a condition is looked at again though nothing changed: some depend on the time. */
const LOOK_EVERY = 1_000;

/**
 * Watches all targets until `evaluate` returns something; it is asked after each change once every target has been
 * listed, and once a second. Rejects with what `evaluate` throws, with the signal's reason, or as `watch` does.
 */
export async function watchUntil<T>(
  client: KubernetesClient,
  targets: readonly WatchTarget[],
  evaluate: () => T | undefined,
  signal: AbortSignal,
  onUnavailable?: (unavailable: Unavailable) => void,
): Promise<T> {
  signal.throwIfAborted();
  const done = new AbortController();
  const stop = AbortSignal.any([signal, done.signal]);
  const unlisted = new Set(targets);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      const look = (): void => {
        if (unlisted.size > 0 || stop.aborted) return;
        // Called by a promise, which makes a rejection of what it throws.
        void Promise.resolve()
          .then(evaluate)
          .then((result) => {
            if (result !== undefined) resolve(result);
          }, reject);
      };
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      for (const target of targets) {
        const seen = (): void => {
          unlisted.delete(target);
          look();
        };
        watch(client, target, seen, stop, onUnavailable).then(seen, reject);
      }
      timer = setInterval(look, LOOK_EVERY);
    });
  } finally {
    clearInterval(timer);
    done.abort();
  }
}

/** The stream ended, for whatever reason: time to list again. */
class StreamEnd extends Error {}

async function stream<T extends KubernetesObject>(
  client: KubernetesClient,
  { kind, selection, objects }: WatchTarget<T>,
  resourceVersion: string,
  onChange: () => void,
  signal: AbortSignal,
): Promise<void> {
  const parameters = { ...selection, watch: 'true', resourceVersion, timeoutSeconds: String(WATCH_SECONDS) };
  try {
    const response = await client.rest.stream(pathOf(kind, selection.namespace) + query(parameters), signal);
    for await (const line of linesOf(response)) {
      const event = JSON.parse(line) as { type: string; object: T };
      if (event.type === 'ERROR') return;
      if (event.type === 'DELETED') objects.delete(keyOf(event.object));
      else if (event.type !== 'BOOKMARK') objects.set(keyOf(event.object), event.object);
      onChange();
    }
  } catch (thrown) {
    // An overloaded server refuses to open a watch: as little a failure as one that it ends.
    if (thrown instanceof ApiError && !isTransient(thrown)) throw thrown;
    throw new StreamEnd('the watch was interrupted', { cause: thrown });
  }
}
