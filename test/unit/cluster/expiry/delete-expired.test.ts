import { describe, expect, it } from 'vitest';
import { deleteDue, outcomeOf, type Outcome } from '../../../../src/cluster/expiry/delete-expired.ts';
import { judge, type CleanupRules } from '../../../../src/cluster/expiry/policy.ts';
import { fleetCluster } from '../../../../src/cluster/identity/fleet-cluster.ts';
import { Annotations, Labels } from '../../../../src/cluster/identity/identity.ts';
import { KubernetesClient } from '../../../../src/host/api/client.ts';
import type { KubernetesObject } from '../../../../src/host/api/objects.ts';
import { RestClient } from '../../../../src/host/api/rest.ts';
import { Transport } from '../../../../src/host/api/transport.ts';
import { configFor, json, refuse, serve, type Handler, type Received } from '../../host/server.ts';

const now = Date.parse('2026-11-24T12:00:00Z');
const rules: CleanupRules = { server: 'github.com', repositoryId: '4711', now, closedPullRequests: new Set(['17']) };
const past = '2026-11-24T11:00:00Z';
const future = '2026-11-24T13:00:00Z';

function clusterOf(
  name: string,
  expiresAt = past,
  identity = { uid: `uid-${name}`, resourceVersion: '1' },
): KubernetesObject {
  const owner = { [Labels.managed]: 'true', [Labels.server]: 'github.com', [Labels.repositoryId]: '4711' };
  const labels = { ...owner, [Labels.pullRequest]: '17' };
  const annotations = { [Annotations.expiresAt]: expiresAt };
  const metadata = { name, namespace: 'knest', ...identity, labels, annotations };
  return { apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Cluster', metadata };
}

/** Deletes the clusters, and returns the outcomes and the requests that the host received. */
async function clean(
  clusters: readonly KubernetesObject[],
  handler: Handler,
  signal = new AbortController().signal,
): Promise<{ readonly outcomes: readonly Outcome[]; readonly received: readonly Received[] }> {
  const { url, received } = await serve(handler);
  const client = new KubernetesClient(new RestClient(new Transport(configFor(url)), signal));
  const heard: Outcome[] = [];
  const judgements = clusters.map((cluster) => judge(fleetCluster(cluster), rules));
  const outcomes = await deleteDue(client, judgements, rules, (outcome) => heard.push(outcome));
  expect(new Set(heard)).toEqual(new Set(outcomes));
  return { outcomes, received };
}

const results = (outcomes: readonly Outcome[]) => outcomes.map(({ cluster, result }) => [cluster.name, result]);

describe('deleteDue', () => {
  it('deletes each cluster with the uid and version that it judged, and sends no DELETE for others', async () => {
    const kept = { ...clusterOf('kept'), metadata: { ...clusterOf('kept').metadata, labels: {} } };
    const { outcomes, received } = await clean([clusterOf('a'), kept], (response) => json(response, {}));
    expect(results(outcomes)).toEqual([['a', 'deleting']]);
    expect(received.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'DELETE /apis/cluster.x-k8s.io/v1beta2/namespaces/knest/clusters/a',
    ]);
    expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({
      preconditions: { uid: 'uid-a', resourceVersion: '1' },
    });
  });

  it('continues after a failure, and reports it', async () => {
    const clusters = ['a', 'b', 'c'].map((name) => clusterOf(name));
    const { outcomes } = await clean(clusters, (response, _number, { path }) =>
      path.endsWith('/b') ? refuse(response, 403) : json(response, {}),
    );
    expect(results(outcomes)).toEqual([
      ['a', 'deleting'],
      ['b', 'failed'],
      ['c', 'deleting'],
    ]);
    expect(outcomes[1]?.error).toMatch(/^DELETE \S+\/b failed with 403 .*\(KNEST_PERMISSION\)$/);
  });

  it('reports a cluster that is already gone as deleted', async () => {
    const { outcomes } = await clean([clusterOf('a')], (response) => refuse(response, 404));
    expect(results(outcomes)).toEqual([['a', 'deleted']]);
  });

  /** A host that refuses the first DELETE because the cluster has changed, and then returns its current state. */
  const changedTo = (cluster: object | undefined): Handler => {
    return (response, number, { method }) => {
      if (number === 0) refuse(response, 409);
      else if (method !== 'GET') json(response, {});
      else if (cluster === undefined) refuse(response, 404);
      else json(response, cluster);
    };
  };

  it('judges a cluster again that a controller changed meanwhile, and deletes that version', async () => {
    const changed = clusterOf('a', past, { uid: 'uid-a', resourceVersion: '2' });
    const { outcomes, received } = await clean([clusterOf('a')], changedTo(changed));
    expect(results(outcomes)).toEqual([['a', 'deleting']]);
    expect(received.map(({ method }) => method)).toEqual(['DELETE', 'GET', 'DELETE']);
    expect(JSON.parse(received[2]?.body ?? '')).toMatchObject({ preconditions: { resourceVersion: '2' } });
  });

  it.each([
    ['is gone', undefined, 'deleted'],
    ['was created again, with another uid', clusterOf('a', past, { uid: 'uid-new', resourceVersion: '9' }), 'kept'],
    ['was adopted, with a later expiry', clusterOf('a', future, { uid: 'uid-a', resourceVersion: '2' }), 'kept'],
    [
      'has lost its owner labels',
      { ...clusterOf('a'), metadata: { ...clusterOf('a').metadata, labels: { [Labels.managed]: 'true' } } },
      'kept',
    ],
    [
      'has the keep annotation by now',
      { ...clusterOf('a'), metadata: { ...clusterOf('a').metadata, annotations: { [Annotations.keep]: 'true' } } },
      'kept',
    ],
  ])('sends no second DELETE for a cluster that %s', async (_what, changed, result) => {
    const { outcomes, received } = await clean([clusterOf('a')], changedTo(changed));
    expect(results(outcomes)).toEqual([['a', result]]);
    expect(received.map(({ method }) => method)).toEqual(['DELETE', 'GET']);
  });

  it('pauses between the attempts for a cluster that changes every time', async () => {
    const handler: Handler = (response, _number, { method }) =>
      method === 'GET' ? json(response, clusterOf('a')) : refuse(response, 409);
    const { outcomes, received } = await clean([clusterOf('a')], handler, AbortSignal.timeout(1_000));
    expect(results(outcomes)).toEqual([['a', 'failed']]);
    expect(received.length).toBeLessThan(10);
  });
});

describe('outcomeOf', () => {
  it('distinguishes due, kept and already deleting clusters', () => {
    const going = { ...clusterOf('c'), metadata: { ...clusterOf('c').metadata, deletionTimestamp: past } };
    const fleet = [clusterOf('a'), { ...clusterOf('b'), metadata: { name: 'b' } }, going];
    expect(fleet.map((cluster) => outcomeOf(judge(fleetCluster(cluster), rules)).result)).toEqual([
      'due',
      'kept',
      'deleting',
    ]);
  });
});
