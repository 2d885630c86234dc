import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { pause } from '../../retry.ts';
import { parseInstant } from '../../values/instant.ts';
import { Annotations } from '../identity/identity.ts';
import type { TunnelSettings } from './settings.ts';

/** Milliseconds between two looks, and for one. */
const LOOK_EVERY = 30_000;
const LOOK_MILLISECONDS = 20_000;

/**
 * Resolves why a tunnel has nobody to serve any more: its cluster is gone, has expired or has been claimed by a later
 * attempt of the job, or the files of its job are gone. A host that does not answer is no reason. Rejects with the
 * signal's reason.
 */
export async function endOfUse(
  client: KubernetesClient,
  settings: TunnelSettings,
  hasFiles: () => boolean,
  signal: AbortSignal,
  every = LOOK_EVERY,
): Promise<string> {
  const { name, namespace } = settings;
  for (;;) {
    await pause(every, signal);
    if (!hasFiles()) return 'the files of the job are gone';
    const within = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MILLISECONDS)]);
    const reason = await client
      .briefly(within)
      .get(Kinds.cluster, name, namespace)
      .then(
        (cluster) => reasonToEnd(cluster, settings, Date.now()),
        () => undefined,
      );
    if (reason !== undefined) return reason;
  }
}

/** Why nobody needs the tunnel to a cluster any more; undefined while somebody may. `now`: milliseconds since the epoch. */
export function reasonToEnd(
  cluster: Cluster | undefined,
  { name, namespace, uid, claim }: Pick<TunnelSettings, 'name' | 'namespace' | 'uid' | 'claim'>,
  now: number,
): string | undefined {
  const title = `${namespace}/${name}`;
  if (cluster === undefined || cluster.metadata.uid !== uid) return `${title} is gone`;
  const annotations = cluster.metadata.annotations ?? {};
  if (claim !== undefined && annotations[Annotations.claim] !== claim)
    return `another attempt of the job adopted ${title}`;
  const expiry = parseInstant(annotations[Annotations.expiresAt] ?? '');
  return expiry !== undefined && expiry < now ? `${title} has expired` : undefined;
}
