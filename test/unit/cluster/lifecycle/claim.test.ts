import { describe, expect, it } from 'vitest';
import { checkClaim, claimCluster } from '../../../../src/cluster/lifecycle/claim.ts';
import { Annotations, identify, type ClusterIdentity } from '../../../../src/cluster/identity/identity.ts';
import { machineCounts } from '../../../../src/cluster/machines/machine-counts.ts';
import { withOwner } from '../../../../src/cluster/identity/owner-labels.ts';
import { planOf, type ClusterObjects } from '../../../../src/cluster/template/plan.ts';
import { KubernetesClient } from '../../../../src/host/api/client.ts';
import { RestClient } from '../../../../src/host/api/rest.ts';
import { Transport } from '../../../../src/host/api/transport.ts';
import { Kinds } from '../../../../src/host/api/kinds.ts';
import type { KubernetesObject } from '../../../../src/host/api/objects.ts';
import { readJob } from '../../../../src/github/job.ts';
import { readCreate } from '../../inputs/given-inputs.ts';
import { clientOf, configFor, json, refuse, serve } from '../../host/server.ts';
import { clientOfStore } from '../../host/store.ts';
import { rejection } from '../../rejection.ts';
import { clusterOf } from '../samples.ts';

const signal = new AbortController().signal;
const job = readJob({ GITHUB_REPOSITORY: 'acme/shop' });

function planFor(identity: ClusterIdentity): ClusterObjects {
  return planOf({ cluster: withOwner(clusterOf(), identity), others: [], machines: machineCounts([]) }, []);
}

describe('checkClaim', () => {
  it('finds a Cluster that another job creates during the check', async () => {
    const identity = identify(readCreate({ name: 'pr', ephemeral: 'false' }), job, 0);
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'pr', namespace: identity.namespace } };
    const { client, store } = await clientOfStore(({ path }) => {
      if (path.endsWith('/services/pr')) store.put(planFor(identity).cluster);
      return undefined;
    });
    store.put(service);
    expect(await checkClaim(client, planFor(identity), identity, { line: () => undefined }, signal)).toBe(true);
  });

  it('refuses a name that another object has, when there is no such Cluster', async () => {
    const identity = identify(readCreate({ name: 'pr', ephemeral: 'false' }), job, 0);
    const { client, store } = await clientOfStore();
    store.put({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'pr', namespace: identity.namespace } });
    const check = checkClaim(client, planFor(identity), identity, { line: () => undefined }, signal);
    expect(await rejection(check)).toMatchObject({ code: 'KNEST_OWNED_BY_OTHER' });
  });

  const identity = identify(readCreate({ name: 'pr', ephemeral: 'false' }), job, 0);
  const check = async (existing: KubernetesObject | undefined) => {
    const { client, store, received } = await clientOfStore();
    if (existing !== undefined) store.put(existing);
    const checked = checkClaim(client, planFor(identity), identity, { line: () => undefined }, signal);
    return { checked: await checked.catch((thrown: unknown) => thrown), received };
  };

  it('accepts a free name', async () => {
    expect((await check(undefined)).checked).toBe(false);
  });

  it('accepts a Cluster that may be adopted, without a look at other objects', async () => {
    const { checked, received } = await check(planFor(identity).cluster);
    expect(checked).toBe(true);
    expect(received).toHaveLength(1);
  });

  it('refuses the Cluster of somebody else', async () => {
    expect((await check(clusterOf())).checked).toMatchObject({
      code: 'KNEST_OWNED_BY_OTHER',
      problem: expect.stringContaining('cluster knest/pr already exists') as string,
    });
  });
});

describe('claimCluster', () => {
  it('makes a namespace that admits the pods of the machines', async () => {
    const identity = identify(readCreate({ name: 'pr' }), job, 0);
    const { client, received } = await clientOfStore();
    const spec = { infrastructureRef: { kind: 'VirtinkCluster', name: 'pr' } };
    const cluster = withOwner(clusterOf({ spec }), identity);
    const plan = planOf({ cluster, others: [], machines: machineCounts([]) }, []);
    await claimCluster(client, plan, identity, { line: () => undefined }, signal);
    const [made] = received.filter(({ method, path }) => method === 'POST' && path.startsWith('/api/v1/namespaces?'));
    expect(JSON.parse(made?.body ?? '')).toMatchObject({
      metadata: { name: 'knest', labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
    });
  });

  it('recognises its own Cluster when the response to its creation is lost', async () => {
    const identity = identify(readCreate({ name: 'pr' }), job, 0);
    let made: KubernetesObject | undefined;
    const { url, received } = await serve((response, _number, { method, path, body }) => {
      if (method === 'POST' && made === undefined) {
        made = JSON.parse(body) as KubernetesObject;
        response.socket?.destroy();
      } else if (method === 'POST') refuse(response, 409);
      else if (path.endsWith('/clusters/pr')) json(response, { ...made, metadata: { ...made?.metadata, uid: 'u-1' } });
      else json(response, { metadata: {} });
    });
    const client = new KubernetesClient(new RestClient(new Transport(configFor(url)), signal));
    const claimed = await claimCluster(client, planFor(identity), identity, { line: () => undefined }, signal);
    expect(claimed).toMatchObject({ created: true, isUnfinished: true, cluster: { metadata: { uid: 'u-1' } } });
    expect(made?.metadata.annotations?.['knest-action/claim']).toBe(identity.claim);
    expect(received.map(({ method }) => method)).toEqual(['GET', 'POST', 'POST', 'GET']);
  });

  it('retries with pauses when the Cluster exists on create but not on read', async () => {
    const identity = identify(readCreate({ name: 'pr' }), job, 0);
    const { client, received } = await clientOf((response, _number, { method, path }) => {
      if (method === 'POST') refuse(response, 409);
      else if (path.endsWith('/clusters/pr')) refuse(response, 404);
      else json(response, { metadata: {} });
    });
    const time = AbortSignal.timeout(1_000);
    const claimed = claimCluster(client, planFor(identity), identity, { line: () => undefined }, time);
    expect(await rejection(claimed)).toMatchObject({ name: 'TimeoutError' });
    expect(received.length).toBeLessThan(10);
  });

  it('reads the Cluster again after a conflict, and refuses one that another job has adopted', async () => {
    const inputs = readCreate({ name: 'pr' });
    const [first, second] = ['1', '2'].map((runAttempt) => identify(inputs, { ...job, runAttempt }, 0));
    if (first === undefined || second === undefined) throw new Error('unreachable');
    const { client, store, received } = await clientOfStore(({ method }) => {
      const cluster = store.find(Kinds.cluster, 'pr');
      if (method !== 'PATCH' || cluster === undefined) return undefined;
      const third = { ...cluster.metadata.annotations, [Annotations.claim]: 'x', [Annotations.runAttempt]: '3' };
      store.put({ ...cluster, metadata: { ...cluster.metadata, annotations: third } });
      return undefined;
    });
    store.put(planFor(first).cluster);
    const claimed = claimCluster(client, planFor(second), second, { line: () => undefined }, signal);
    expect(await rejection(claimed)).toMatchObject({ code: 'KNEST_OWNED_BY_OTHER' });
    expect(received.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
    expect(store.find(Kinds.cluster, 'pr')?.metadata.annotations?.[Annotations.claim]).toBe('x');
  });
});
