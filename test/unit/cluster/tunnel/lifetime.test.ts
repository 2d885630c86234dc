import type { ServerResponse } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { endOfUse } from '../../../../src/cluster/tunnel/lifetime.ts';
import type { Cluster } from '../../../../src/host/api/cluster-api-objects.ts';
import { clientOf, json, refuse, type Handler } from '../../host/server.ts';

const settings = { name: 'pr', namespace: 'knest', uid: 'u-1', claim: 'c-1', host: { hostKubeconfigFile: '/none' } };
const MINUTE = 60_000;

function cluster(uid: string, annotations: Readonly<Record<string, string>>): Cluster {
  return { apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Cluster', metadata: { name: 'pr', uid, annotations } };
}

function deleting({ metadata, ...rest }: Cluster): Cluster {
  return { ...rest, metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
}

/** A cluster with the claim of the job that expires so many milliseconds from now, by this runner's clock. */
function expiring(milliseconds: number): Cluster {
  const expiry = new Date(Date.now() + milliseconds).toISOString();
  return cluster('u-1', { 'knest-action/claim': 'c-1', 'knest-action/expires-at': expiry });
}

/** A host that forbids to list and watch: the tunnel can only look. `answer` answers the looks, which `number` counts. */
function onlyLooks(answer: Handler): Handler {
  let number = 0;
  return (response, _number, request) => {
    if (request.path.includes('?')) refuse(response, 403);
    else answer(response, number++, request);
  };
}

/**
 * Why a tunnel ends; undefined when it goes on. `ahead`: milliseconds by which the host's clock is ahead of this runner's,
 * or NaN where it sends no Date. `claim`: empty for a job that shares its cluster.
 */
async function reasonFor(
  found: Cluster | undefined,
  { ahead = 0, claim = 'c-1' }: { readonly ahead?: number; readonly claim?: string } = {},
): Promise<string | undefined> {
  let looks = 0;
  const answers = onlyLooks((response, _number, { path }) => {
    const date = { date: new Date(Date.now() + ahead).toUTCString() };
    response.sendDate = false;
    if (path === '/version') {
      json(response, {}, 200, Number.isNaN(ahead) ? {} : date);
      return;
    }
    looks += 1;
    if (found === undefined) refuse(response, 404);
    else json(response, found);
  });
  const { client } = await clientOf(answers);
  const end = new AbortController();
  const { name, namespace, uid, host } = settings;
  const used = { name, namespace, uid, host, ...(claim !== '' && { claim }) };
  const hasFiles = (): boolean => {
    // It goes on when there are more looks.
    if (looks > 2) end.abort();
    return true;
  };
  return endOfUse(client, used, hasFiles, end.signal, 5).catch(() => undefined);
}

describe('a tunnel', () => {
  it.each<[string | undefined, Cluster | undefined]>([
    ['knest/pr is gone', undefined],
    ['knest/pr is gone', cluster('u-2', { 'knest-action/claim': 'c-1' })],
    ['knest/pr is being deleted', deleting(cluster('u-1', { 'knest-action/claim': 'c-1' }))],
    ['another attempt of the job adopted knest/pr', cluster('u-1', { 'knest-action/claim': 'c-2' })],
    ['knest/pr has expired', expiring(-MINUTE)],
    [undefined, expiring(MINUTE)],
    [undefined, cluster('u-1', { 'knest-action/claim': 'c-1', 'knest-action/expires-at': 'soon' })],
    [undefined, cluster('u-1', { 'knest-action/claim': 'c-1' })],
  ])('ends for the reason %s', async (reason, found) => {
    expect(await reasonFor(found)).toBe(reason);
  });

  it('ends at the expiry by the clock of the host', async () => {
    expect(await reasonFor(expiring(-MINUTE), { ahead: -3 * MINUTE })).toBeUndefined();
    expect(await reasonFor(expiring(MINUTE), { ahead: 3 * MINUTE })).toBe('knest/pr has expired');
  });

  it('goes on while it is unknown what the time is', async () => {
    for (const ahead of [-60 * MINUTE, 60 * MINUTE, Number.NaN])
      expect(await reasonFor(expiring(-MINUTE), { ahead })).toBeUndefined();
  });

  it('of a job that shares its cluster does not end when another one adopts it', async () => {
    expect(await reasonFor(cluster('u-1', { 'knest-action/claim': 'c-9' }), { claim: '' })).toBeUndefined();
  });

  it('ends when the host refuses its credentials again and again, but not at a refusal now and then', async () => {
    const answer = async (isRefused: (number: number) => boolean): Promise<string> => {
      const host = onlyLooks((response, number) => {
        if (isRefused(number)) refuse(response, 401);
        else if (number > 60) refuse(response, 404);
        else json(response, cluster('u-1', { 'knest-action/claim': 'c-1' }));
      });
      const { client } = await clientOf(host);
      return endOfUse(client, settings, () => true, new AbortController().signal, 1);
    };
    expect(await answer(() => true)).toBe('the host no longer accepts the credentials of the job');
    expect(await answer((number) => number % 4 > 0 && number < 60)).toBe('knest/pr is gone');
  });

  it('looks again and again, whatever the host answers, until the cluster is gone', async () => {
    let looks = 0;
    const host = onlyLooks((response, number) => {
      looks += 1;
      if (number < 1) json(response, cluster('u-1', { 'knest-action/claim': 'c-1' }));
      else refuse(response, number < 2 ? 403 : 404);
    });
    const { client } = await clientOf(host);
    expect(await endOfUse(client, settings, () => true, new AbortController().signal, 5)).toBe('knest/pr is gone');
    expect(looks).toBe(3);
  });

  it('ends when the files of its job are gone, without a look at the host', async () => {
    const { client, received } = await clientOf((response) => refuse(response, 403));
    expect(await endOfUse(client, settings, () => false, new AbortController().signal, 5)).toBe(
      'the files of the job are gone',
    );
    expect(received.filter(({ path }) => !path.includes('?'))).toEqual([]);
  });
});

describe('a tunnel that may watch its cluster', () => {
  const claimed = cluster('u-1', { 'knest-action/claim': 'c-1' });

  /** A tunnel to a cluster that is there, and the watches that it has opened. `every`: milliseconds between two looks. */
  const startTunnel = async (found = claimed, every = 30_000) => {
    const watches: ServerResponse[] = [];
    let listed: readonly Cluster[] = [found];
    const { client, received } = await clientOf((response, _number, { path }) => {
      if (path.includes('watch=true')) {
        response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
        watches.push(response);
      } else if (path.includes('?')) json(response, { metadata: { resourceVersion: '1' }, items: listed });
      else json(response, found);
    });
    const stop = new AbortController();
    const ended = endOfUse(client, settings, () => true, stop.signal, every);
    // The test that stops it expects no reason.
    const reason = ended.catch(() => undefined);
    await vi.waitFor(() => expect(watches).toHaveLength(1), { timeout: 10_000 });
    const list = (...items: readonly Cluster[]): void => void (listed = items);
    return { reason, watches, received, list, stop };
  };
  const event = (type: string, object: Cluster): string => `${JSON.stringify({ type, object })}\n`;

  it.each([
    ['is marked for deletion', 'MODIFIED', deleting(claimed), 'knest/pr is being deleted'],
    ['is gone', 'DELETED', claimed, 'knest/pr is gone'],
    ['is adopted', 'MODIFIED', cluster('u-1', { 'knest-action/claim': 'c-2' }), 'another attempt of the job adopted'],
  ])('ends at once when the cluster %s', async (_what, type, object, reason) => {
    const tunnel = await startTunnel();
    tunnel.watches[0]?.write(event('MODIFIED', cluster('u-1', { 'knest-action/claim': 'c-1', note: 'of others' })));
    tunnel.watches[0]?.write(event(type, object));
    // Long before the first look.
    expect(await tunnel.reason).toContain(reason);
  });

  it('ends when the cluster was deleted while the watch was cut', async () => {
    const tunnel = await startTunnel();
    tunnel.list();
    tunnel.watches[0]?.destroy();
    expect(await tunnel.reason).toBe('knest/pr is gone');
  });

  it('sends fewer requests while nothing happens than one that can only look', async () => {
    const every = 20;
    const { received, reason, stop } = await startTunnel(claimed, every);
    const looks = (): number => received.filter(({ path }) => !path.includes('?')).length;
    await vi.waitFor(() => expect(looks()).toBe(1), { timeout: 10_000 });
    const began = performance.now();
    await vi.waitFor(() => expect(looks()).toBe(3), { timeout: 10_000 });
    expect(performance.now() - began).toBeGreaterThan(10 * every);
    // The list, the watch and the looks.
    expect(received).toHaveLength(5);
    stop.abort();
    expect(await reason).toBeUndefined();
  });

  it('looks when the cluster expires, of which no watch reports', async () => {
    const began = performance.now();
    const { reason } = await startTunnel(expiring(3_000), 1_000);
    expect(await reason).toBe('knest/pr has expired');
    expect(performance.now() - began).toBeLessThan(9_000);
  });
});
