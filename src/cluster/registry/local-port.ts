import { KnestError } from '../../errors.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { isConflict } from '../../host/api/conflict.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { retry } from '../../retry.ts';
import { Annotations } from '../identity/identity.ts';

/** How often the port is tried to be noted on a Cluster that its controllers write to: for about half a minute. */
const TRIES = 12;

/** The port of localhost by which the images of a cluster's registry are named; undefined without a registry. */
export function localPortOf({ metadata }: Cluster): number | undefined {
  const text = metadata.annotations?.[Annotations.registryPort] ?? '';
  return /^[1-9]\d{0,4}$/.test(text) ? Number(text) : undefined;
}

/** The error for a cluster that was made without a registry: its nodes would not find one. */
export function noRegistry({ metadata: { name, namespace = '' } }: Cluster): KnestError {
  return new KnestError({
    code: 'KNEST_INPUT',
    problem: `registry: Cluster ${namespace}/${name} was created without a registry, and its nodes would not find one`,
    next: 'leave registry out, or delete the cluster (command: delete) and create it again with registry: true',
  });
}

/** The text by which images of the registry are named. */
export function registryHost(localPort: number): string {
  return `localhost:${localPort}`;
}

/**
 * Notes the port on a Cluster, once and for all. Throws KNEST_INPUT when another job that makes the same cluster at the
 * same time has noted another one.
 */
export async function noteLocalPort(
  client: KubernetesClient,
  { metadata: { name, namespace = '' } }: Cluster,
  port: number,
  signal: AbortSignal,
): Promise<void> {
  const tryOnce = async (): Promise<void> => {
    const cluster = await client.get(Kinds.cluster, name, namespace);
    const noted = cluster && localPortOf(cluster);
    if (noted === port) return;
    if (noted !== undefined)
      throw new KnestError({
        code: 'KNEST_INPUT',
        problem: `registry-port: another job has made port ${noted} that of the registry of ${namespace}/${name}`,
        next: 'run the job again',
      });
    const { uid, resourceVersion } = cluster?.metadata ?? {};
    await client.patch(Kinds.cluster, name, namespace, {
      metadata: { uid, resourceVersion, annotations: { [Annotations.registryPort]: String(port) } },
    });
  };
  await retry(tryOnce, { signal, isRetried: isConflict, tries: TRIES });
}
