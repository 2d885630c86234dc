import { describe, expect, it } from 'vitest';
import { endOfUse } from '../../../../src/cluster/tunnel/lifetime.ts';
import type { Cluster } from '../../../../src/host/api/cluster-api-objects.ts';
import { clientOf, json, refuse } from '../../host/server.ts';

const settings = { name: 'pr', namespace: 'knest', uid: 'u-1', claim: 'c-1', host: { hostKubeconfigFile: '/none' } };
const MINUTE = 60_000;

function cluster(uid: string, annotations: Readonly<Record<string, string>>): Cluster {
  return { apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Cluster', metadata: { name: 'pr', uid, annotations } };
}

/** A cluster with the claim of the job that expires so many milliseconds from now, by this runner's clock. */
function expiring(milliseconds: number): Cluster {
  const expiry = new Date(Date.now() + milliseconds).toISOString();
  return cluster('u-1', { 'knest-action/claim': 'c-1', 'knest-action/expires-at': expiry });
}

/**
 * Why a tunnel ends; undefined when it goes on. `ahead`: milliseconds by which the host's clock is ahead of this runner's,
 * or NaN where it sends no Date. `claim`: empty for a job that shares its cluster.
 */
async function reasonFor(
  found: Cluster | undefined,
  { ahead = 0, claim = 'c-1' }: { readonly ahead?: number; readonly claim?: string } = {},
): Promise<string | undefined> {
  const { client, received } = await clientOf((response, _number, { path }) => {
    const date = { date: new Date(Date.now() + ahead).toUTCString() };
    response.sendDate = false;
    if (path === '/version') json(response, {}, 200, Number.isNaN(ahead) ? {} : date);
    else if (found === undefined) refuse(response, 404);
    else json(response, found);
  });
  const end = new AbortController();
  const { name, namespace, uid, host } = settings;
  const used = { name, namespace, uid, host, ...(claim !== '' && { claim }) };
  const looks = (): number => received.filter(({ path }) => path !== '/version').length;
  const hasFiles = (): boolean => {
    // It goes on when there are more looks.
    if (looks() > 2) end.abort();
    return true;
  };
  return endOfUse(client, used, hasFiles, end.signal, 5).catch(() => undefined);
}

describe('a tunnel', () => {
  it.each<[string | undefined, Cluster | undefined]>([
    ['knest/pr is gone', undefined],
    ['knest/pr is gone', cluster('u-2', { 'knest-action/claim': 'c-1' })],
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
      const { client } = await clientOf((response, number) => {
        if (isRefused(number)) refuse(response, 401);
        else if (number > 60) refuse(response, 404);
        else json(response, cluster('u-1', { 'knest-action/claim': 'c-1' }));
      });
      return endOfUse(client, settings, () => true, new AbortController().signal, 1);
    };
    expect(await answer(() => true)).toBe('the host no longer accepts the credentials of the job');
    expect(await answer((number) => number % 4 > 0 && number < 60)).toBe('knest/pr is gone');
  });

  it('looks again and again, whatever the host answers, until the cluster is gone', async () => {
    const { client, received } = await clientOf((response, number) => {
      if (number < 1) json(response, cluster('u-1', { 'knest-action/claim': 'c-1' }));
      else refuse(response, number < 2 ? 403 : 404);
    });
    expect(await endOfUse(client, settings, () => true, new AbortController().signal, 5)).toBe('knest/pr is gone');
    expect(received).toHaveLength(3);
  });

  it('ends when the files of its job are gone, without asking the host', async () => {
    const { client, received } = await clientOf((response) => refuse(response, 404));
    expect(await endOfUse(client, settings, () => false, new AbortController().signal, 5)).toBe(
      'the files of the job are gone',
    );
    expect(received).toEqual([]);
  });
});
