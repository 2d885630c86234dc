import { describe, expect, it } from 'vitest';
import {
  Annotations,
  identify,
  Labels,
  owned,
  type ClusterIdentity,
} from '../../../../src/cluster/identity/identity.ts';
import {
  checkOwner,
  findOwned,
  judgeExisting,
  lackOf,
  proofOfClaim,
  proofOfRepository,
} from '../../../../src/cluster/identity/ownership.ts';
import { KubernetesClient } from '../../../../src/host/api/client.ts';
import type { Metadata } from '../../../../src/host/api/objects.ts';
import { RestClient } from '../../../../src/host/api/rest.ts';
import { Transport } from '../../../../src/host/api/transport.ts';
import { readJob, type Job } from '../../../../src/github/job.ts';
import { readCreate } from '../../inputs/given-inputs.ts';
import { configFor, json, refuse, serve, type Handler } from '../../host/server.ts';
import { rejection } from '../../rejection.ts';

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
  it('consists of the labels of the repository, whatever the run is', () => {
    expect(proof).toEqual({ labels });
  });
});

describe('checkOwner', () => {
  const check = (metadata: Partial<Metadata>) => () => checkOwner(clusterWith(metadata), proof, 'deleted');

  it('accepts a cluster that has every label of the proof and others', () => {
    expect(check({ labels })).not.toThrow();
    expect(check({ labels: { ...labels, [Labels.runId]: '1', a: 'b' } })).not.toThrow();
  });

  it('refuses a cluster of another owner, and names the owner', () => {
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
  ])('refuses a cluster with the labels %o', (given, reason) => {
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

  it('returns a cluster of this repository', async () => {
    expect(await find((response) => json(response, clusterWith({ labels })))).toEqual(clusterWith({ labels }));
  });

  it('distinguishes a missing cluster from one of another owner', async () => {
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

describe('proofOfClaim', () => {
  const saved = { repository: labels, claim: 'c1a1', unsettled: {} };
  const marks = { [Annotations.claim]: 'c1a1', [Annotations.ephemeral]: 'true' };
  const lack = (metadata: Partial<Metadata>) => lackOf(clusterWith(metadata), proofOfClaim(saved));

  it('accepts a non-ephemeral cluster only from the use that created it, and only until it is handed over', () => {
    const unsettled = { [Annotations.unsettled]: 'c1a1/2026-11-22T23:10:00Z' };
    const lackOfLasting = (annotations: Metadata['annotations']) =>
      lackOf(clusterWith({ labels, annotations: { ...annotations } }), proofOfClaim({ ...saved, unsettled }));
    const lasting = { ...marks, [Annotations.ephemeral]: 'false' };
    expect(lackOfLasting({ ...lasting, ...unsettled })).toBeUndefined();
    expect(lackOfLasting(lasting)).toBe('knest-action/unsettled is missing, not c1a1/2026-11-22T23:10:00Z');
    // Another use created it, and this one adopted it.
    expect(lackOfLasting({ ...lasting, [Annotations.unsettled]: 'c2/2026-11-22T23:10:00Z' })).toBeDefined();
  });

  it('accepts an ephemeral cluster only with the claim', () => {
    expect(lack({ labels, annotations: { ...marks, a: 'b' } })).toBeUndefined();
    expect(lack({ labels, annotations: { ...marks, [Annotations.claim]: 'c2' } })).toBe(
      'knest-action/claim is c2, not c1a1',
    );
    expect(lack({ labels })).toBe('knest-action/claim is missing, not c1a1');
    expect(lack({ labels, annotations: { ...marks, [Annotations.ephemeral]: 'false' } })).toBe(
      'knest-action/ephemeral is false, not true',
    );
    expect(lack({ labels: { ...labels, [Labels.repositoryId]: '1' }, annotations: marks })).toBe(
      'knest-action/repository-id is 1, not 4711',
    );
  });
});

describe('judgeExisting', () => {
  const run: Job = { ...job, runAttempt: '1', jobName: 'e2e' };
  /** The identity that a use of the action gives its cluster. */
  const use = (inputs: Readonly<Record<string, string>>, changed: Partial<Job> = {}): ClusterIdentity =>
    identify(readCreate({ name: 'shared', ...inputs }), { ...run, ...changed }, 0);
  /** The metadata of the Cluster that this use created. */
  const made = (by: ClusterIdentity, metadata: Partial<Metadata> = {}): Metadata => ({
    ...owned({ name: 'shared' }, by),
    ...metadata,
  });
  const lasting = { ephemeral: 'false' };
  const later = { runAttempt: '2' };
  const pullRequest = { pullRequest: '17' };

  it.each<[string, ClusterIdentity, ClusterIdentity]>([
    ['of an earlier attempt of the same use', use({}), use({}, later)],
    ['of an earlier attempt of the same leg', use({ 'job-index': '2' }), use({ 'job-index': '2' }, later)],
    ['of an earlier attempt of the same step', use({}, { step: 'db' }), use({}, { ...later, step: 'db' })],
    ['of attempt 9, in attempt 10', use({}, { runAttempt: '9' }), use({}, { runAttempt: '10' })],
    ['that is not ephemeral, of another run', use(lasting, { runId: '1' }), use(lasting)],
    ['that is not ephemeral, of another job', use(lasting, { jobName: 'other' }), use(lasting)],
    ['that is not ephemeral, of the same attempt', use(lasting), use(lasting)],
    [
      'that is not ephemeral, of another run for the same pull request',
      use(lasting, { runId: '1', ...pullRequest }),
      use(lasting, pullRequest),
    ],
  ])('adopts a cluster %s', (_what, theirs, ours) => {
    expect(judgeExisting(made(theirs), ours, 'f')).toBe('adopt');
  });

  it.each<[string, ClusterIdentity, ClusterIdentity]>([
    ['the same attempt', use({}), use({})],
    ['an earlier attempt', use({}, later), use({})],
    ['another run', use({}, { runId: '1' }), use({}, later)],
    [
      'another run for the same pull request',
      use({}, { runId: '1', ...pullRequest }),
      use({}, { ...later, ...pullRequest }),
    ],
    ['another job', use({}, { jobName: 'other' }), use({}, later)],
    ['another leg', use({ 'job-index': '1' }), use({ 'job-index': '2' }, later)],
    ['another step', use({}, { step: 'db' }), use({}, later)],
    ['a job whose attempt is not known', use({}, { runAttempt: '' }), use({}, { runAttempt: '?' })],
  ])('refuses an ephemeral cluster of %s, with advice to use command: kubeconfig', (_what, theirs, ours) => {
    expect(judgeExisting(made(theirs), ours, 'f')).toEqual({
      refused: expect.stringMatching(/^another step or job owns it \(.*runs\/\d+\)$/) as string,
      next: expect.stringContaining('command: kubeconfig') as string,
    });
  });

  it.each<[string, Partial<Job>, Partial<Job>, string, RegExp]>([
    [
      'of a pull request in a run without one',
      pullRequest,
      {},
      'it is for pull request 17, whose code may have changed anything in it',
      /^choose another name; .* set pull-request: 17$/,
    ],
    [
      'of a pull request in a run for another one',
      pullRequest,
      { pullRequest: '170' },
      'it is for pull request 17, whose code may have changed anything in it',
      /^choose another name; .* set pull-request: 17$/,
    ],
    [
      'without a pull request in a run for one',
      {},
      pullRequest,
      'it belongs to no pull request, but this run is for pull request 17',
      /command: kubeconfig/,
    ],
  ])('refuses a cluster %s, even in a later attempt', (_what, theirs, ours, refused, next) => {
    for (const inputs of [lasting, {}]) {
      expect(judgeExisting(made(use(inputs, theirs)), use(inputs, { ...later, ...ours }), 'f')).toEqual({
        refused: expect.stringContaining(refused) as string,
        next: expect.stringMatching(next) as string,
      });
    }
  });

  it('refuses a cluster whose lifetime would change with its owner', () => {
    expect(judgeExisting(made(use(lasting)), use({}, later), 'f')).toMatchObject({
      refused: 'it is not ephemeral, but would be deleted with this job',
    });
    expect(judgeExisting(made(use({})), use(lasting, later), 'f')).toMatchObject({
      refused: expect.stringMatching(/^it is ephemeral and is deleted when its job ends/) as string,
    });
  });

  it.each<[string, Partial<Job>]>([
    ['another repository', { repositoryId: '1', repository: 'evil/corp' }],
    ['the same id on another server', { server: 'ghe.example', repository: 'evil/corp' }],
  ])('refuses any cluster of %s', (_what, changed) => {
    for (const inputs of [{}, lasting]) {
      for (const metadata of [{}, { deletionTimestamp: '2026-11-22T19:00:00Z' }]) {
        expect(judgeExisting(made(use(inputs, changed), metadata), use(inputs, later), 'f')).toMatchObject({
          refused: expect.stringMatching(/^it belongs to evil\/corp/) as string,
        });
      }
    }
  });

  it('refuses a cluster that this action did not create', () => {
    expect(judgeExisting({ name: 'shared' }, use(lasting), 'f')).toMatchObject({
      refused: 'knest-action did not create it',
    });
  });

  it('waits for a cluster of the repository that is being deleted', () => {
    const theirs = made(use({}, { runId: '1' }), { deletionTimestamp: '2026-11-22T19:00:00Z' });
    expect(judgeExisting(theirs, use({}), 'f')).toBe('deleting');
  });

  it('never adopts a cluster with a generated name', () => {
    const unnamed = { ...use({}, later), isNameGenerated: true };
    expect(judgeExisting(made(use({})), unnamed, 'f')).toHaveProperty('refused');
    expect(judgeExisting(made(use(lasting)), { ...unnamed, ephemeral: false }, 'f')).toHaveProperty('refused');
  });

  it('adopts an incomplete cluster only to create the same objects', () => {
    const half = { [Annotations.unfinished]: 'true', [Annotations.template]: 'f' };
    const theirs = made(use({}));
    const unfinished = { ...theirs, annotations: { ...theirs.annotations, ...half } };
    expect(judgeExisting(unfinished, use({}, later), 'f')).toBe('adopt');
    expect(judgeExisting(unfinished, use({}, later), 'g')).toMatchObject({
      refused: expect.stringMatching(
        /^it is incomplete, and this step would complete it with different objects/,
      ) as string,
    });
    expect(
      judgeExisting(
        { ...theirs, annotations: { ...unfinished.annotations, [Annotations.unfinished]: 'yes' } },
        use({}, later),
        'g',
      ),
    ).toHaveProperty('refused');
  });
});
