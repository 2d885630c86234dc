import type { ClusterIdentity } from '../../cluster/identity/identity.ts';
import { hostTime } from '../../host/api/clock.ts';
import type { Connection } from '../../host/connection.ts';
import type { CreateInputs } from '../../inputs.ts';
import type { Runtime } from '../../runtime.ts';

/** The host's time, in milliseconds since the epoch: a runner's clock may be wrong, and cleanup goes by the host's. */
export async function readClock(
  { client }: Connection,
  { report: { log }, clock: { signal } }: Runtime,
): Promise<number> {
  const { time, doubt } = await hostTime(client, signal);
  if (doubt !== undefined) log.warn(`the expiry of the cluster counts from ${new Date(time).toISOString()}: ${doubt}`);
  return time;
}

/** Gives the job the name of its cluster. */
export function announce({ name, namespace, expiresAt }: ClusterIdentity, { outputs }: Runtime): void {
  outputs.set('name', name);
  outputs.set('namespace', namespace);
  outputs.set('expires-at', expiresAt ?? '');
}

/** Saves which cluster the post step deletes, before the first write to the host. */
export function remember(
  identity: ClusterIdentity,
  { keepOnFailure }: Pick<CreateInputs, 'keepOnFailure'>,
  { state }: Runtime,
): void {
  const { name, namespace, ephemeral, claim, repository, expiresAt, unsettled } = identity;
  const expiry = expiresAt === undefined ? {} : { expiresAt };
  state.remember({ name, namespace, repository, claim, ephemeral, keepOnFailure, unsettled, ...expiry });
}
