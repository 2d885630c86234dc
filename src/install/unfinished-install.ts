import type { KubernetesClient } from '../host/api/client.ts';
import { isConflict } from '../host/api/conflict.ts';
import { Kinds } from '../host/api/kinds.ts';
import { LEASE_NAMESPACE } from './lease.ts';
import type { Lease } from '../host/api/objects.ts';
import { retry } from '../retry.ts';
import { hasStatus } from '../host/api/api-error.ts';
import type { Component } from '../catalog/components/component.ts';

/** The Lease that one job holds while it installs. */
export const INSTALL_LEASE = 'knest-action-install';
/** The annotation of the Lease with what was started: a JSON object of titles and versions. */
const BEGUN = 'knest-action/installing';

/** What this action began to install on a host and did not end, by title, each with its version. */
export type Begun = ReadonlyMap<string, string>;

/**
 * Reads what an installation of this action left half done: the job was killed, or lost the host. Only that may be
 * completed. Empty where the Lease may not be read.
 */
export async function readBegun(client: KubernetesClient): Promise<Begun> {
  try {
    return begunOf(await client.get(Kinds.lease, INSTALL_LEASE, LEASE_NAMESPACE));
  } catch (thrown) {
    if (hasStatus(thrown, 403)) return new Map();
    throw thrown;
  }
}

/** Notes that these components are about to be installed. For the holder of the Lease, before the first write. */
export async function noteBegun(
  client: KubernetesClient,
  components: readonly Component[],
  signal: AbortSignal,
): Promise<void> {
  const noted = components.map(({ title, version }) => [title, version] as const);
  await change(client, (begun) => new Map([...begun, ...noted]), signal);
}

/** Notes that these components are complete. For the holder of the Lease. */
export async function noteComplete(
  client: KubernetesClient,
  components: readonly Component[],
  signal: AbortSignal,
): Promise<void> {
  const titles = new Set(components.map(({ title }) => title));
  await change(client, (begun) => new Map([...begun].filter(([title]) => !titles.has(title))), signal);
}

async function change(client: KubernetesClient, next: (begun: Begun) => Begun, signal: AbortSignal): Promise<void> {
  const tryOnce = async (): Promise<void> => {
    const lease = await client.get(Kinds.lease, INSTALL_LEASE, LEASE_NAMESPACE);
    if (lease === undefined) return;
    const begun = next(begunOf(lease));
    const others = Object.entries(lease.metadata.annotations ?? {}).filter(([name]) => name !== BEGUN);
    const noted = begun.size === 0 ? [] : [[BEGUN, JSON.stringify(Object.fromEntries(begun))] as const];
    const annotations = Object.fromEntries([...others, ...noted]);
    await client.replace(Kinds.lease, { ...lease, metadata: { ...lease.metadata, annotations } });
  };
  // The Lease is renewed at the same time.
  await retry(tryOnce, { signal, isRetried: isConflict });
}

function begunOf(lease: Lease | undefined): Begun {
  try {
    const begun: unknown = JSON.parse(lease?.metadata.annotations?.[BEGUN] ?? '{}');
    return new Map(Object.entries(begun as Readonly<Record<string, string>>));
  } catch {
    return new Map();
  }
}
