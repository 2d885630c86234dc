import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { withLease } from '../../../src/install/lease.ts';
import type { Lease } from '../../../src/host/api/objects.ts';
import { rejection } from '../rejection.ts';
import { clientOf, json, refuse, type Received } from '../host/server.ts';

const never = new AbortController().signal;
const done = async (): Promise<string> => Promise.resolve('done');

/** The spec of a Lease that the action takes. */
interface Spec {
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
}

const leaseOf = (holderIdentity: string, resourceVersion = '1') => ({
  metadata: { name: 'install', namespace: 'kube-system', resourceVersion },
  spec: { holderIdentity, leaseTransitions: 7 },
});

/** A host with a Lease; `answer` says with which status a write is refused, and may change the Lease. */
async function hostWith(
  lease: object | undefined,
  answer: (host: { lease: object | undefined }, request: Received) => number | undefined = () => undefined,
) {
  const host = { lease };
  const { client, received } = await clientOf((response, number, request) => {
    const status = answer(host, request);
    if (status !== undefined) refuse(response, status);
    else if (request.method !== 'GET') {
      const given = JSON.parse(request.body) as Lease;
      host.lease = { ...given, metadata: { ...given.metadata, resourceVersion: `w${number}` } };
      json(response, host.lease);
    } else if (host.lease === undefined) refuse(response, 404);
    else json(response, host.lease);
  });
  const writes = () => received.filter(({ method }) => method !== 'GET');
  const holders = () => writes().map(({ body }) => (JSON.parse(body) as { spec: Spec }).spec.holderIdentity);
  return { client, host, received, writes, holders };
}

/** A clock that can be put forward. */
function jumpingClock(): (milliseconds: number) => void {
  const now = performance.now.bind(performance);
  let offset = 0;
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => now() + offset);
  onTestFinished(() => spy.mockRestore());
  return (milliseconds) => (offset += milliseconds);
}

describe('withLease', () => {
  it('creates the Lease, and gives it back after the work', async () => {
    const { client, writes, holders } = await hostWith(undefined);
    const waiting = vi.fn();
    expect(await withLease(client, 'install', 'me', never, waiting, done)).toBe('done');
    expect(writes().map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`)).toEqual([
      'POST /apis/coordination.k8s.io/v1/namespaces/kube-system/leases',
      'PUT /apis/coordination.k8s.io/v1/namespaces/kube-system/leases/install',
    ]);
    const created = JSON.parse(writes()[0]?.body ?? '') as { readonly spec: Spec };
    expect(created).toMatchObject({
      kind: 'Lease',
      metadata: { name: 'install', labels: { 'app.kubernetes.io/managed-by': 'knest-action' } },
      spec: { holderIdentity: 'me', leaseDurationSeconds: 20 },
    });
    // A MicroTime, without which the API server rejects the Lease.
    expect(created.spec.renewTime).toMatch(/T\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(created.spec.acquireTime).toBe(created.spec.renewTime);
    expect(holders()).toEqual(['me', '']);
    expect(waiting).not.toHaveBeenCalled();
  });

  it.each(['', 'me'])('takes a Lease with the holder "%s" at once, and keeps its other fields', async (holder) => {
    const { client, writes } = await hostWith(leaseOf(holder));
    const waiting = vi.fn();
    await withLease(client, 'install', 'me', never, waiting, done);
    expect(JSON.parse(writes()[0]?.body ?? '')).toMatchObject({
      metadata: { resourceVersion: '1' },
      spec: { holderIdentity: 'me', leaseTransitions: 7 },
    });
    expect(waiting).not.toHaveBeenCalled();
  });

  it('waits for another holder, whom it reports once, and begins when that has ended', async () => {
    let looks = 0;
    const { client, holders } = await hostWith(leaseOf('other'), (host, { method }) => {
      if (method === 'GET' && ++looks === 3) host.lease = leaseOf('', '2');
      return undefined;
    });
    const waiting = vi.fn();
    await withLease(client, 'install', 'me', never, waiting, done);
    expect(waiting.mock.calls).toEqual([['other']]);
    expect(looks).toBeGreaterThanOrEqual(3);
    expect(holders()).toEqual(['me', '']);
  });

  it('reports the next holder too', async () => {
    let looks = 0;
    const { client } = await hostWith(leaseOf('one'), (host, { method }) => {
      if (method === 'GET' && ++looks === 2) host.lease = leaseOf('two', '2');
      if (method === 'GET' && looks === 4) host.lease = leaseOf('', '3');
      return undefined;
    });
    const waiting = vi.fn();
    await withLease(client, 'install', 'me', never, waiting, done);
    expect(waiting.mock.calls).toEqual([['one'], ['two']]);
  }, 20_000);

  it('waits no longer than its signal', async () => {
    const abort = new AbortController();
    const { client, writes } = await hostWith(leaseOf('other'));
    const work = vi.fn(done);
    const failure = rejection(withLease(client, 'install', 'me', abort.signal, () => abort.abort(), work));
    expect(await failure).toMatchObject({ name: 'AbortError' });
    expect(work).not.toHaveBeenCalled();
    expect(writes()).toEqual([]);
  });

  it('takes over from a holder that does not renew for 20 seconds by the clock of the runner', async () => {
    const jump = jumpingClock();
    let looks = 0;
    const { client, holders } = await hostWith(leaseOf('dead'), (_host, { method }) => {
      // Between the first look and the second.
      if (method === 'GET' && ++looks === 1) setTimeout(() => jump(20_500), 500);
      return undefined;
    });
    await withLease(client, 'install', 'me', never, () => undefined, done);
    expect(looks).toBeLessThan(6);
    expect(holders()).toEqual(['me', '']);
  });

  it('does not take over from a holder that renews', async () => {
    const jump = jumpingClock();
    let looks = 0;
    const { client, holders } = await hostWith(leaseOf('alive'), (host, { method }) => {
      if (method !== 'GET') return undefined;
      looks += 1;
      if (looks <= 4) host.lease = leaseOf(looks === 4 ? '' : 'alive', String(looks));
      setTimeout(() => jump(20_500), 500);
      return undefined;
    });
    await withLease(client, 'install', 'me', never, () => undefined, done);
    expect(looks).toBeGreaterThanOrEqual(4);
    expect(holders()).toEqual(['me', '']);
  }, 20_000);

  it('does not count the time in which the host did not answer: nobody could renew it', async () => {
    const jump = jumpingClock();
    let looks = 0;
    const { client, holders } = await hostWith(leaseOf('alive'), (host, { method }) => {
      if (method !== 'GET') return undefined;
      looks += 1;
      if (looks === 2) jump(30_000);
      if (looks === 4) host.lease = leaseOf('', '2');
      return undefined;
    });
    await withLease(client, 'install', 'me', never, () => undefined, done);
    expect(looks).toBeGreaterThanOrEqual(4);
    expect(holders()).toEqual(['me', '']);
  }, 20_000);

  it('looks again when another job was faster', async () => {
    let isFirst = true;
    const { client, holders } = await hostWith(undefined, (_host, { method }) => {
      if (method !== 'POST' || !isFirst) return undefined;
      isFirst = false;
      return 409;
    });
    await withLease(client, 'install', 'me', never, () => undefined, done);
    expect(holders()).toEqual(['me', 'me', '']);
  });

  it('rejects when it may not write the Lease, without doing the work', async () => {
    const { client } = await hostWith(undefined, (_host, { method }) => (method === 'POST' ? 403 : undefined));
    const work = vi.fn(done);
    const failure = await rejection(withLease(client, 'install', 'me', never, () => undefined, work));
    expect(failure).toMatchObject({ status: 403 });
    expect(work).not.toHaveBeenCalled();
  });

  it('does not give back the Lease of another holder, and does not fail when it cannot give its own back', async () => {
    const taken = await hostWith(undefined);
    const work = async (): Promise<void> => {
      taken.host.lease = leaseOf('other');
      return Promise.resolve();
    };
    await withLease(taken.client, 'install', 'me', never, () => undefined, work);
    expect(taken.holders()).toEqual(['me']);
    const refusing = await hostWith(undefined, (_host, { method }) => (method === 'PUT' ? 403 : undefined));
    expect(await withLease(refusing.client, 'install', 'me', never, () => undefined, done)).toBe('done');
  });

  it('renews the Lease while it works, also after a renewal that the host did not answer', async () => {
    let renewals = 0;
    const { client, received, holders } = await hostWith(undefined, (_host, { method }) => {
      if (method === 'PUT') return ++renewals === 1 ? 409 : undefined;
      return undefined;
    });
    const held = await withLease(
      client,
      'install',
      'me',
      never,
      () => undefined,
      async (signal) => {
        await vi.waitFor(() => expect(renewals).toBe(2), { timeout: 20_000, interval: 50 });
        return signal.aborted;
      },
    );
    expect(held).toBe(false);
    expect(holders()).toEqual(['me', 'me', 'me', '']);
    const [created, first, second] = received.filter(({ method }) => method !== 'GET').map(({ at }) => at);
    expect((first ?? 0) - (created ?? 0)).toBeGreaterThan(4_500);
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(4_500);
  }, 30_000);

  it('stops the work when nobody holds the Lease any more: another job may have taken it and ended', async () => {
    const { client, host } = await hostWith(undefined);
    const failure = rejection(
      withLease(
        client,
        'install',
        'me',
        never,
        () => undefined,
        async (held) => {
          host.lease = leaseOf('');
          await new Promise((resolve) => held.addEventListener('abort', resolve, { once: true }));
          throw held.reason;
        },
      ),
    );
    expect(await failure).toMatchObject({ code: 'KNEST_INSTALL', evidence: ['its holder is now nobody'] });
  }, 20_000);
});
