import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import { hasStatus } from '../../host/api/api-error.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { hostTime } from '../../host/api/clock.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { pause } from '../../retry.ts';
import { parseInstant } from '../../values/instant.ts';
import { Annotations } from '../identity/identity.ts';
import type { TunnelSettings } from './settings.ts';

/** Milliseconds between two looks, and for one. */
export const LOOK_EVERY = 30_000;
export const LOOK_MILLISECONDS = 20_000;
/** Looks in a row at which the host may refuse the credentials: new ones may come within minutes. */
const REFUSED_LOOKS = 20;

/**
 * Resolves why a tunnel has nobody to serve any more: its cluster is gone, has expired or has been claimed by a later
 * attempt of the job, the files of its job are gone, or the host has refused its credentials for ten minutes. A host that
 * does not answer ends nothing. Rejects with the signal's reason.
 */
export async function endOfUse(
  client: KubernetesClient,
  settings: TunnelSettings,
  hasFiles: () => boolean,
  signal: AbortSignal,
  every = LOOK_EVERY,
): Promise<string> {
  let refused = 0;
  for (;;) {
    await pause(every, signal);
    if (!hasFiles()) return 'the files of the job are gone';
    const within = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MILLISECONDS)]);
    const reason = await look(client, settings, within).then(
      (found) => {
        refused = 0;
        return found;
      },
      (thrown: unknown) => {
        refused = hasStatus(thrown, 401) ? refused + 1 : 0;
        return undefined;
      },
    );
    if (reason !== undefined) return reason;
    if (refused >= REFUSED_LOOKS) return 'the host no longer accepts the credentials of the job';
  }
}

async function look(
  client: KubernetesClient,
  settings: TunnelSettings,
  signal: AbortSignal,
): Promise<string | undefined> {
  const cluster = await client.briefly(signal).get(Kinds.cluster, settings.name, settings.namespace);
  const reason = reasonToEnd(cluster, settings);
  const expiry = parseInstant(cluster?.metadata.annotations?.[Annotations.expiresAt] ?? '');
  if (reason !== undefined || expiry === undefined) return reason;
  // By the clock that the expiry was written by: that of the runner may be wrong.
  const { time, doubt } = await hostTime(client, signal);
  return doubt === undefined && expiry < time ? `${settings.namespace}/${settings.name} has expired` : undefined;
}

/** Why nobody needs the tunnel to a cluster any more, whatever the time is; undefined while somebody may. */
function reasonToEnd(
  cluster: Cluster | undefined,
  { name, namespace, uid, claim }: TunnelSettings,
): string | undefined {
  const title = `${namespace}/${name}`;
  if (cluster === undefined || cluster.metadata.uid !== uid) return `${title} is gone`;
  return claim !== undefined && cluster.metadata.annotations?.[Annotations.claim] !== claim
    ? `another attempt of the job adopted ${title}`
    : undefined;
}
