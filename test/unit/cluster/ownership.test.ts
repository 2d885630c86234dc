import { describe, expect, it } from 'vitest';
import { Annotations, Labels } from '../../../src/cluster/identity.ts';
import { checkOwner, findOwned, proofOfRepository } from '../../../src/cluster/ownership.ts';
import { KubernetesClient } from '../../../src/host/client.ts';
import type { Metadata } from '../../../src/host/objects.ts';
import { RestClient } from '../../../src/host/rest.ts';
import { Transport } from '../../../src/host/transport.ts';
import { readJob } from '../../../src/world.ts';
import { configFor, json, refuse, serve, type Handler } from '../host/server.ts';
import { rejection } from '../rejection.ts';

const job = readJob({ GITHUB_REPOSITORY: 'acme/shop', GITHUB_REPOSITORY_ID: '4711', GITHUB_RUN_ID: '99' });
const proof = proofOfRepository(job);
const labels = { [Labels.managed]: 'true', [Labels.server]: 'github.com', [Labels.repositoryId]: '4711' };

function clusterWith(metadata: Partial<Metadata>) {
  return {
    apiVersion: 'cluster.x-k8s.io/v1beta2',
    kind: 'Cluster',
    metadata: { name: 'pr', namespace: 'knest', ...metadata },
  };
}

describe('proofOfRepository', () => {
  it('is of the repository, whatever the run', () => {
    expect(proof).toEqual(labels);
  });
});

describe('checkOwner', () => {
  const check = (metadata: Partial<Metadata>) => () => checkOwner(clusterWith(metadata), proof, 'deleted');

  it('lets a cluster through that has every label of the proof, and others', () => {
    expect(check({ labels })).not.toThrow();
    expect(check({ labels: { ...labels, [Labels.runId]: '1', a: 'b' } })).not.toThrow();
  });

  it('refuses that of another, and names them', () => {
    const annotations = { [Annotations.repository]: 'evil/corp', [Annotations.runUrl]: 'https://example.com/1' };
    expect(check({ labels: { ...labels, [Labels.repositoryId]: '666' }, annotations })).toThrow(
      expect.objectContaining({
        code: 'KNEST_OWNED_BY_OTHER',
        problem: 'Cluster knest/pr is not deleted: knest-action/repository-id is 666, not 4711',
        evidence: ['it belongs to evil/corp: https://example.com/1'],
        next: 'have it deleted from where it was created',
      }),
    );
  });

  it.each([
    [undefined, 'knest-action/managed is missing, not true'],
    [{ [Labels.repositoryId]: '4711' }, 'knest-action/managed is missing, not true'],
    [{ ...labels, [Labels.managed]: 'false' }, 'knest-action/managed is false, not true'],
    [{ ...labels, [Labels.server]: 'ghe.example' }, 'knest-action/server is ghe.example, not github.com'],
    [{ [Labels.managed]: 'true', [Labels.repositoryId]: '4711' }, 'knest-action/server is missing, not github.com'],
    [{ [Labels.managed]: 'true', [Labels.server]: 'github.com' }, 'knest-action/repository-id is missing, not 4711'],
  ])('refuses one with the labels %o', (given, reason) => {
    expect(check(given === undefined ? {} : { labels: given })).toThrow(
      expect.objectContaining({
        problem: `Cluster knest/pr is not deleted: ${reason}`,
        evidence: ['it names no owner'],
      }),
    );
  });
});

describe('findOwned', () => {
  const find = async (handler: Handler) => {
    const { url } = await serve(handler);
    const client = new KubernetesClient(new RestClient(new Transport(configFor(url)), new AbortController().signal));
    return findOwned(client, { name: 'pr', namespace: 'knest' }, job);
  };

  it('gives the cluster when it is the own', async () => {
    expect(await find((response) => json(response, clusterWith({ labels })))).toEqual(clusterWith({ labels }));
  });

  it('tells none from that of another', async () => {
    expect(await rejection(find((response) => refuse(response, 404)))).toMatchObject({
      code: 'KNEST_NOT_FOUND',
      problem: 'there is no cluster knest/pr',
    });
    expect(await rejection(find((response) => json(response, clusterWith({}))))).toMatchObject({
      code: 'KNEST_OWNED_BY_OTHER',
      problem: 'Cluster knest/pr is not used: knest-action/managed is missing, not true',
    });
  });
});
