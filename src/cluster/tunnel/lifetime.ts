import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import { hasStatus } from '../../host/api/api-error.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { hostTime } from '../../host/api/clock.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { watchTarget, watchUntil } from '../../host/api/watch.ts';
import { pause } from '../../retry.ts';
import { parseInstant } from '../../values/instant.ts';
import { Annotations } from '../identity/identity.ts';
import type { TunnelSettings } from './settings.ts';

/** Milliseconds between two looks, and for one. */
export const LOOK_EVERY = 30_000;
export const LOOK_MILLISECONDS = 20_000;
/** How many times as long it is between two looks while a watch is open, and before a forbidden watch is tried again. */
const CALM = 10;
/** Looks in a row at which the host may refuse the credentials: new ones may come within minutes. */
const REFUSED_LOOKS = 20;

/** Whether a watch reports what happens to the cluster, as far as this side knows. */
interface Watched {
  isOpen: boolean;
}

/**
 * Resolves why a tunnel has nobody to serve any more: its cluster is being deleted or gone, has expired or has been claimed
 * by a later attempt of the job, the files of its job are gone, or the host has refused its credentials for ten minutes. A
 * watch of the cluster frees the ports as soon as it is deleted. Looks now and then do so where a watch is forbidden, or
 * was cut unnoticed. A host that does not answer ends nothing. Rejects with the signal's reason.
 */
export async function endOfUse(
  client: KubernetesClient,
  settings: TunnelSettings,
  hasFiles: () => boolean,
  signal: AbortSignal,
  every = LOOK_EVERY,
): Promise<string> {
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const watched = { isOpen: false };
  try {
    return await Promise.race([
      endByWatch(client.briefly(stop), settings, watched, stop, every),
      endByLooks(client, settings, hasFiles, watched, stop, every),
    ]);
  } finally {
    ended.abort();
  }
}

/** Resolves the reason that a watch of the cluster reports. A watch that cannot be opened is tried again later. */
async function endByWatch(
  client: KubernetesClient,
  settings: TunnelSettings,
  watched: Watched,
  signal: AbortSignal,
  every: number,
): Promise<string> {
  const { name, namespace } = settings;
  const target = watchTarget(Kinds.cluster, { namespace, fieldSelector: `metadata.name=${name}` });
  const reason = (): string | undefined => {
    watched.isOpen = true;
    const [cluster] = target.objects.values();
    return reasonToEnd(cluster, settings);
  };
  for (;;) {
    try {
      return await watchUntil(client, [target], reason, signal);
    } catch (thrown) {
      watched.isOpen = false;
      await pause(hasStatus(thrown, 403) ? CALM * every : every, signal);
    }
  }
}

/** Resolves the reason that looks at the files and at the cluster find. */
async function endByLooks(
  client: KubernetesClient,
  settings: TunnelSettings,
  hasFiles: () => boolean,
  watched: Watched,
  signal: AbortSignal,
  every: number,
): Promise<string> {
  let refused = 0;
  let calmUntil = 0;
  for (;;) {
    await pause(every, signal);
    if (!hasFiles()) return 'the files of the job are gone';
    if (watched.isOpen && performance.now() < calmUntil) continue;
    const within = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MILLISECONDS)]);
    const { reason, calmFor = Number.POSITIVE_INFINITY } = await look(client, settings, within).then(
      (found) => {
        refused = 0;
        return found;
      },
      (thrown: unknown): Look => {
        refused = hasStatus(thrown, 401) ? refused + 1 : 0;
        return { calmFor: 0 };
      },
    );
    if (reason !== undefined) return reason;
    if (refused >= REFUSED_LOOKS) return 'the host no longer accepts the credentials of the job';
    calmUntil = performance.now() + Math.min(CALM * every, calmFor);
  }
}

/** What a look found. */
interface Look {
  /** Why the tunnel ends; undefined: it does not. */
  readonly reason?: string | undefined;
  /** Milliseconds before something may happen that no watch reports; undefined: not soon. */
  readonly calmFor?: number;
}

async function look(client: KubernetesClient, settings: TunnelSettings, signal: AbortSignal): Promise<Look> {
  const cluster = await client.briefly(signal).get(Kinds.cluster, settings.name, settings.namespace);
  const reason = reasonToEnd(cluster, settings);
  const expiry = parseInstant(cluster?.metadata.annotations?.[Annotations.expiresAt] ?? '');
  if (reason !== undefined || expiry === undefined) return { reason };
  // By the clock that the expiry was written by: that of the runner may be wrong.
  const { time, doubt } = await hostTime(client, signal);
  if (doubt !== undefined) return {};
  return expiry < time ? { reason: `${settings.namespace}/${settings.name} has expired` } : { calmFor: expiry - time };
}

/** Why nobody needs the tunnel to a cluster any more, whatever the time is; undefined while somebody may. */
function reasonToEnd(
  cluster: Cluster | undefined,
  { name, namespace, uid, claim }: TunnelSettings,
): string | undefined {
  const title = `${namespace}/${name}`;
  if (cluster === undefined || cluster.metadata.uid !== uid) return `${title} is gone`;
  if (cluster.metadata.deletionTimestamp !== undefined) return `${title} is being deleted`;
  return claim !== undefined && cluster.metadata.annotations?.[Annotations.claim] !== claim
    ? `another attempt of the job adopted ${title}`
    : undefined;
}
