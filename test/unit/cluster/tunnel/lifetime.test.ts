import { describe, expect, it } from 'vitest';
import { endOfUse, reasonToEnd } from '../../../../src/cluster/tunnel/lifetime.ts';
import type { Cluster } from '../../../../src/host/api/cluster-api-objects.ts';
import { clientOf, json, refuse } from '../../host/server.ts';

const settings = { name: 'pr', namespace: 'knest', uid: 'u-1', claim: 'c-1' };
const now = Date.parse('2026-11-27T10:00:00Z');

function cluster(uid: string, annotations: Readonly<Record<string, string>>): Cluster {
  return { apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Cluster', metadata: { name: 'pr', uid, annotations } };
}

describe('a tunnel', () => {
  it.each<[string | undefined, Cluster | undefined]>([
    ['knest/pr is gone', undefined],
    ['knest/pr is gone', cluster('u-2', { 'knest-action/claim': 'c-1' })],
    ['another attempt of the job adopted knest/pr', cluster('u-1', { 'knest-action/claim': 'c-2' })],
    [
      'knest/pr has expired',
      cluster('u-1', { 'knest-action/claim': 'c-1', 'knest-action/expires-at': '2026-11-27T09:59:59Z' }),
    ],
    [undefined, cluster('u-1', { 'knest-action/claim': 'c-1', 'knest-action/expires-at': '2026-11-27T10:00:01Z' })],
    [undefined, cluster('u-1', { 'knest-action/claim': 'c-1', 'knest-action/expires-at': 'soon' })],
    [undefined, cluster('u-1', { 'knest-action/claim': 'c-1' })],
  ])('ends for the reason %s', (reason, found) => {
    expect(reasonToEnd(found, settings, now)).toBe(reason);
  });

  it('of a job that shares its cluster does not end when another one adopts it', () => {
    const shared = { name: 'pr', namespace: 'knest', uid: 'u-1' };
    expect(reasonToEnd(cluster('u-1', { 'knest-action/claim': 'c-9' }), shared, now)).toBeUndefined();
  });

  it('looks again and again, whatever the host answers, until the cluster is gone', async () => {
    const { client, received } = await clientOf((response, number) => {
      if (number < 1) json(response, cluster('u-1', { 'knest-action/claim': 'c-1' }));
      else refuse(response, number < 2 ? 403 : 404);
    });
    const all = { ...settings, host: { hostKubeconfigFile: '/none' } };
    expect(await endOfUse(client, all, () => true, new AbortController().signal, 5)).toBe('knest/pr is gone');
    expect(received).toHaveLength(3);
  });

  it('ends when the files of its job are gone, without asking the host', async () => {
    const { client, received } = await clientOf((response) => refuse(response, 404));
    const all = { ...settings, host: { hostKubeconfigFile: '/none' } };
    expect(await endOfUse(client, all, () => false, new AbortController().signal, 5)).toBe(
      'the files of the job are gone',
    );
    expect(received).toEqual([]);
  });
});
