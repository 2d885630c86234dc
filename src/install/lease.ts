import { setTimeout as delay } from 'node:timers/promises';
import { KnestError } from '../errors.ts';
import type { KubernetesClient } from '../host/api/client.ts';
import { FIELD_MANAGER } from '../host/api/client.ts';
import { Kinds } from '../host/api/kinds.ts';
import type { Lease } from '../host/api/objects.ts';
import { hasStatus } from '../host/api/api-error.ts';
import { pause } from '../retry.ts';

/** Where Leases live: a namespace that every cluster has. */
export const LEASE_NAMESPACE = 'kube-system';
/** Seconds without a renewal after which a holder counts as dead. */
const DURATION_SECONDS = 20;
/** Milliseconds between two renewals, and between two looks at the Lease of another holder. */
const RENEW_EVERY = 5_000;
const LOOK_EVERY = 1_000;

/**
 * Does `work` while holding the Lease of that name, so that two jobs never do it at once. Waits for another holder,
 * and takes over from one that stopped renewing; `waiting` gets the name of that holder, once. Clocks are not compared: a holder
 * is dead when its Lease did not change for its duration by our own clock, as in client-go's leader election. The signal
 * that `work` is given aborts with `signal`, and when another holder took the Lease over; the Lease is held until `work`
 * has ended.
 */
export async function withLease<T>(
  client: KubernetesClient,
  name: string,
  holder: string,
  signal: AbortSignal,
  waiting: (holder: string) => void,
  work: (held: AbortSignal) => Promise<T>,
): Promise<T> {
  await acquire(client, name, holder, signal, waiting);
  const done = new AbortController();
  const lost = new AbortController();
  // Not bound to the signal: what is to end takes its time, and no other job may begin before.
  const renewal = renew(client, name, holder, lost, done.signal);
  try {
    return await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    done.abort();
    await renewal;
    await release(client, name, holder);
  }
}

async function acquire(
  client: KubernetesClient,
  name: string,
  holder: string,
  signal: AbortSignal,
  waiting: (holder: string) => void,
): Promise<void> {
  let seen:
    { readonly resourceVersion: string | undefined; readonly since: number; readonly holder: string } | undefined;
  for (;;) {
    const asked = performance.now();
    const lease = await client.get(Kinds.lease, name, LEASE_NAMESPACE);
    // During an outage of the API server, no holder could renew it.
    if (performance.now() - asked > RENEW_EVERY) seen = undefined;
    const current = lease?.spec?.holderIdentity ?? '';
    const expired =
      seen !== undefined &&
      seen.resourceVersion === lease?.metadata.resourceVersion &&
      performance.now() - seen.since > DURATION_SECONDS * 1000;
    if ((current === '' || current === holder || expired) && (await take(client, name, holder, lease))) return;
    if (current !== '' && seen?.holder !== current) waiting(current);
    if (seen === undefined || seen.resourceVersion !== lease?.metadata.resourceVersion) {
      seen = { resourceVersion: lease?.metadata.resourceVersion, since: performance.now(), holder: current };
    }
    await pause(LOOK_EVERY, signal);
  }
}

/** Whether this job got it: another may have been faster. */
async function take(
  client: KubernetesClient,
  name: string,
  holder: string,
  lease: Lease | undefined,
): Promise<boolean> {
  const now = new Date().toISOString().replace('Z', '000Z'); // a MicroTime
  const spec = { holderIdentity: holder, leaseDurationSeconds: DURATION_SECONDS, acquireTime: now, renewTime: now };
  try {
    if (lease === undefined) {
      const metadata = { name, namespace: LEASE_NAMESPACE, labels: { 'app.kubernetes.io/managed-by': FIELD_MANAGER } };
      await client.create(Kinds.lease, { apiVersion: Kinds.lease.apiVersion, kind: 'Lease', metadata, spec } as Lease);
    } else {
      await client.replace(Kinds.lease, { ...lease, spec: { ...lease.spec, ...spec } } as Lease);
    }
    return true;
  } catch (thrown) {
    if (hasStatus(thrown, 409)) return false;
    throw thrown;
  }
}

async function renew(
  client: KubernetesClient,
  name: string,
  holder: string,
  lost: AbortController,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await delay(RENEW_EVERY, undefined, { signal, ref: false });
    } catch {
      return; // the work is done
    }
    // A renewal that fails is tried again in time; only a holder that stays away loses the Lease.
    const briefly = client.briefly(AbortSignal.any([signal, AbortSignal.timeout(RENEW_EVERY)]));
    const lease = await briefly.get(Kinds.lease, name, LEASE_NAMESPACE).catch(() => undefined);
    const current = lease?.spec?.holderIdentity ?? '';
    if (current === holder) await take(briefly, name, holder, lease).catch(() => false);
    // Another may have taken it, and be done already.
    else if (lease !== undefined) lost.abort(takenOver(name, current === '' ? 'nobody' : current));
  }
}

function takenOver(name: string, holder: string): KnestError {
  return new KnestError({
    code: 'KNEST_INSTALL',
    problem: `another job took over the Lease ${LEASE_NAMESPACE}/${name}, which this one could not renew for ${DURATION_SECONDS} s`,
    evidence: [`its holder is now ${holder}`],
    next: 'run the job again: it completes what is missing; check that the API server answers this runner reliably',
  });
}

async function release(client: KubernetesClient, name: string, holder: string): Promise<void> {
  // Even after the job's time is up: other jobs should not have to wait for the Lease to expire.
  const last = client.briefly(AbortSignal.timeout(3_000));
  try {
    const lease = await last.get(Kinds.lease, name, LEASE_NAMESPACE);
    if (lease?.spec?.holderIdentity !== holder) return;
    await last.replace(Kinds.lease, { ...lease, spec: { ...lease.spec, holderIdentity: '' } } as Lease);
  } catch {
    // It expires by itself: no reason to fail what was done under it.
  }
}
