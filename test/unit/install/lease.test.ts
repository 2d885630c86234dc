import { describe, expect, it, vi } from 'vitest';
import { withLease } from '../../../src/install/lease.ts';
import type { Lease } from '../../../src/host/api/objects.ts';
import { rejection } from '../rejection.ts';
import { clientOf, json, refuse } from '../host/server.ts';

const never = new AbortController().signal;

/** A host that keeps one Lease. */
async function hostWithLease() {
  const host: { lease: Lease | undefined } = { lease: undefined };
  const { client } = await clientOf((response, number, { method, body }) => {
    if (method === 'GET' && host.lease === undefined) refuse(response, 404);
    else if (method === 'GET') json(response, host.lease);
    else {
      const given = JSON.parse(body) as Lease;
      host.lease = { ...given, metadata: { ...given.metadata, resourceVersion: String(number) } };
      json(response, host.lease);
    }
  });
  const holder = () => host.lease?.spec?.holderIdentity;
  const takeOver = (name: string): void => {
    if (host.lease !== undefined) host.lease = { ...host.lease, spec: { holderIdentity: name } };
  };
  return { client, holder, takeOver };
}

describe('withLease', () => {
  it('holds the Lease until the work has ended, even after the timeout', async () => {
    const { client, holder } = await hostWithLease();
    const abort = new AbortController();
    const seen: (string | null | undefined)[] = [];
    const reason = new Error('the time is up');
    const done = withLease(client.until(abort.signal), 'install', 'me', abort.signal, vi.fn(), async (held) => {
      abort.abort(reason);
      expect(held.aborted).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 100));
      seen.push(holder());
      throw held.reason;
    });
    expect(await rejection(done)).toBe(reason);
    expect(seen).toEqual(['me']);
    expect(holder()).toBe('');
  });

  it('stops the work when another job takes over the Lease, and leaves it to that job', async () => {
    const { client, holder, takeOver } = await hostWithLease();
    const done = withLease(client, 'install', 'me', never, vi.fn(), async (held) => {
      takeOver('other');
      await new Promise((resolve) => held.addEventListener('abort', resolve, { once: true }));
      throw held.reason;
    });
    expect(await rejection(done)).toMatchObject({ code: 'KNEST_INSTALL', evidence: ['its holder is now other'] });
    expect(holder()).toBe('other');
  }, 20_000);
});
