import { describe, expect, it } from 'vitest';
import { Annotations, identify, Labels, owned, ownerLabels } from '../../../../src/cluster/identity/identity.ts';
import { findOwned, judgeExisting } from '../../../../src/cluster/identity/ownership.ts';
import { readJob } from '../../../../src/github/job.ts';
import type { Cluster } from '../../../../src/host/api/cluster-api-objects.ts';
import type { Metadata } from '../../../../src/host/api/objects.ts';
import { clientOf, json } from '../../host/server.ts';
import { readCreate } from '../../inputs/given-inputs.ts';
import { rejection } from '../../rejection.ts';
import { clusterOf } from '../samples.ts';

const job = readJob({ GITHUB_REPOSITORY: 'acme/shop', GITHUB_REPOSITORY_ID: '4711', GITHUB_RUN_ID: '99' });
const labels = ownerLabels(job);
const next = 'set pool: small and no name; the output name has that of the cluster';

describe('findOwned', () => {
  const find = async (metadata: Partial<Metadata>): Promise<Cluster> => {
    const cluster = clusterOf();
    const found = { ...cluster, metadata: { ...cluster.metadata, ...metadata } };
    const { client } = await clientOf((response) => json(response, found));
    return findOwned(client, { name: 'pr', namespace: 'knest' }, job);
  };

  it('refuses a free member of a pool, which a job gets by a claim alone', async () => {
    expect(await rejection(find({ labels: { ...labels, [Labels.pool]: 'small' } }))).toMatchObject({
      code: 'KNEST_OWNED_BY_OTHER',
      problem: 'Cluster knest/pr is not used: it is a free member of the pool small',
      next,
    });
  });

  it('returns a cluster that was claimed from a pool', async () => {
    const annotations = { [Annotations.fromPool]: 'small' };
    expect((await find({ labels, annotations })).metadata).toMatchObject({ labels, annotations });
  });
});

describe('judgeExisting', () => {
  it('never adopts a free member of a pool, even one that any run could adopt otherwise', () => {
    const ours = identify(readCreate({ name: 'small-slot-1', ephemeral: 'false' }), job, 0);
    const theirs = owned({ name: 'small-slot-1' }, ours);
    expect(judgeExisting(theirs, ours, 'f')).toBe('adopt');
    const member = { ...theirs, labels: { ...theirs.labels, [Labels.pool]: 'small' } };
    expect(judgeExisting(member, ours, 'f')).toEqual({ refused: 'it is a free member of the pool small', next });
  });
});
