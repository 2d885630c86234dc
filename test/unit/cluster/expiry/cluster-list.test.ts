import { describe, expect, it } from 'vitest';
import { fleetCluster } from '../../../../src/cluster/identity/fleet-cluster.ts';
import { listClusters } from '../../../../src/cluster/expiry/cluster-list.ts';
import { KubernetesClient } from '../../../../src/host/api/client.ts';
import type { Cluster } from '../../../../src/host/api/cluster-api-objects.ts';
import { RestClient } from '../../../../src/host/api/rest.ts';
import { Transport } from '../../../../src/host/api/transport.ts';
import { readJob } from '../../../../src/github/job.ts';
import { configFor, json, refuse, serve, type Handler } from '../../host/server.ts';
import { rejection } from '../../rejection.ts';

const job = readJob({ GITHUB_REPOSITORY: 'acme/shop', GITHUB_REPOSITORY_ID: '4711', GITHUB_RUN_ID: '99' });

/** A Cluster of this action, as read from the host. */
const made: Cluster = {
  apiVersion: 'cluster.x-k8s.io/v1beta2',
  kind: 'Cluster',
  metadata: {
    name: 'pr-7',
    namespace: 'knest',
    uid: 'u-1',
    resourceVersion: '42',
    creationTimestamp: '2026-11-24T08:00:00Z',
    labels: {
      'knest-action/managed': 'true',
      'knest-action/server': 'github.com',
      'knest-action/repository-id': '4711',
      'knest-action/run-id': '99',
      'knest-action/pull-request': '7',
    },
    annotations: {
      'knest-action/repository': 'acme/shop',
      'knest-action/run-url': 'https://github.com/acme/shop/actions/runs/99',
      'knest-action/expires-at': '2026-11-24T12:00:00Z',
    },
  },
  status: { phase: 'Provisioned', conditions: [{ type: 'Available', status: 'True' }] },
};

describe('fleetCluster', () => {
  it('reads state, owner and expiry', () => {
    expect(fleetCluster(made)).toEqual({
      name: 'pr-7',
      namespace: 'knest',
      uid: 'u-1',
      resourceVersion: '42',
      managed: true,
      repository: 'acme/shop',
      repositoryId: '4711',
      server: 'github.com',
      runUrl: 'https://github.com/acme/shop/actions/runs/99',
      pullRequest: '7',
      createdAt: '2026-11-24T08:00:00Z',
      expiresAt: '2026-11-24T12:00:00Z',
      keep: false,
      phase: 'Provisioned',
      conditions: { Available: 'True' },
      deleting: false,
      deletionRequestedAt: undefined,
      finalizers: [],
    });
  });

  it('leaves fields undefined that the cluster does not have', () => {
    const bare: Cluster = {
      apiVersion: 'cluster.x-k8s.io/v1beta2',
      kind: 'Cluster',
      metadata: { name: 'x', namespace: 'n' },
    };
    expect(fleetCluster(bare)).toMatchObject({
      managed: false,
      repository: undefined,
      repositoryId: undefined,
      expiresAt: undefined,
      phase: undefined,
      conditions: {},
      deleting: false,
    });
  });

  it('treats any value of the keep annotation but false as kept, and returns an unreadable expiry unchanged', () => {
    const annotated = (annotations: Readonly<Record<string, string>>): Cluster => ({
      ...made,
      metadata: { ...made.metadata, annotations, deletionTimestamp: '2026-11-24T09:00:00Z' },
    });
    expect(fleetCluster(annotated({ 'knest-action/keep': 'true' }))).toMatchObject({ keep: true, deleting: true });
    expect(fleetCluster(annotated({ 'knest-action/keep': '' }))).toMatchObject({ keep: true });
    const odd = annotated({ 'knest-action/keep': 'false', 'knest-action/expires-at': 'tomorrow' });
    expect(fleetCluster(odd)).toMatchObject({ keep: false, expiresAt: 'tomorrow' });
  });
});

describe('listClusters', () => {
  const list = async (handler: Handler, ...[namespace, of]: [string | undefined, typeof job | undefined]) => {
    const { url } = await serve(handler);
    const client = new KubernetesClient(new RestClient(new Transport(configFor(url)), new AbortController().signal));
    return listClusters(client, namespace, of);
  };
  const asked = async (...of: [string | undefined, typeof job | undefined]): Promise<string> => {
    let path = '';
    await list(
      (response, _number, request) => {
        path = decodeURIComponent(request.path);
        json(response, { items: [] });
      },
      ...of,
    );
    return path;
  };

  it('requests only the clusters of the repository', async () => {
    expect(await asked('knest', job)).toBe(
      '/apis/cluster.x-k8s.io/v1beta2/namespaces/knest/clusters' +
        '?labelSelector=knest-action/managed=true,knest-action/server=github.com,knest-action/repository-id=4711&limit=500',
    );
  });

  it('requests all clusters without a repository', async () => {
    expect(await asked(undefined, undefined)).toBe('/apis/cluster.x-k8s.io/v1beta2/clusters?limit=500');
  });

  it('sorts by namespace and name', async () => {
    const at = (namespace: string, name: string): Cluster => ({
      ...made,
      metadata: { ...made.metadata, namespace, name },
    });
    const items = [at('b', 'x'), at('a', 'z'), at('a', 'y')];
    const found = await list((response) => json(response, { items }), undefined, job);
    expect(found.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual(['a/y', 'a/z', 'b/x']);
  });

  it('is empty without Cluster API, and fails when it is forbidden', async () => {
    expect(await list((response) => refuse(response, 404), 'knest', job)).toEqual([]);
    const refused = list((response) => refuse(response, 403), undefined, job);
    expect(await rejection(refused)).toMatchObject({ code: 'KNEST_PERMISSION' });
  });
});
