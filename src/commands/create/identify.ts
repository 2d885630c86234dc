import { identify, type ClusterIdentity } from '../../cluster/identity/identity.ts';
import { hostTime } from '../../host/api/clock.ts';
import type { Connection } from '../../host/connection.ts';
import type { CreateInputs } from '../../inputs.ts';
import type { JobRuntime, Runtime } from '../../runtime.ts';

/** The host's time, in milliseconds since the epoch: a runner's clock may be wrong, and cleanup goes by the host's. */
export async function readClock(
  { client }: Connection,
  { report: { log }, clock: { signal } }: Runtime,
): Promise<number> {
  const { time, doubt } = await hostTime(client, signal);
  if (doubt !== undefined) log.warn(`the expiry of the cluster counts from ${new Date(time).toISOString()}: ${doubt}`);
  return time;
}

/** The identity of the cluster for this job, which the job gets as outputs. `now`: by the clock of the host. */
export function identifyCluster(inputs: CreateInputs, now: number, { job, outputs }: JobRuntime): ClusterIdentity {
  const identity = identify(inputs, job, now);
  outputs.set('name', identity.name);
  outputs.set('namespace', identity.namespace);
  outputs.set('expires-at', identity.expiresAt ?? '');
  return identity;
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
