import { describe, expect, it, vi } from 'vitest';
import { Annotations, identify, type ClusterIdentity } from '../../../../src/cluster/identity/identity.ts';
import { withOwner } from '../../../../src/cluster/identity/owner-labels.ts';
import { undo } from '../../../../src/commands/create/roll-back.ts';
import { KnestError } from '../../../../src/errors.ts';
import { readJob } from '../../../../src/github/job.ts';
import type { Connection } from '../../../../src/host/connection.ts';
import { Kinds } from '../../../../src/host/api/kinds.ts';
import type { Runtime } from '../../../../src/runtime.ts';
import { clusterOf } from '../../cluster/samples.ts';
import { clientOfStore } from '../../host/store.ts';
import { readCreate } from '../../inputs/given-inputs.ts';

const job = readJob({ GITHUB_REPOSITORY: 'acme/shop' });
const identityWith = (inputs: Readonly<Record<string, string>>, claim = 'mine'): ClusterIdentity =>
  identify(readCreate({ name: 'pr', ...inputs }), job, 0, claim);
const failed = new KnestError({ code: 'KNEST_BOOTSTRAP', problem: 'it did not start' });

interface Given {
  readonly inputs?: Readonly<Record<string, string>>;
  readonly fate?: Partial<Parameters<typeof undo>[2]>;
  readonly thrown?: unknown;
  /** Who has claimed the Cluster since. */
  readonly claim?: string;
}

/** Undoes a create. Returns the failure, whether the Cluster is there, and whether the post step keeps it. */
async function undone({ inputs = {}, fate = {}, thrown = failed, claim = 'mine' }: Given) {
  const identity = identityWith(inputs);
  const { client, store, received } = await clientOfStore();
  const claimant = identityWith(inputs, claim);
  const cluster = withOwner(clusterOf(), claimant);
  const annotations = { ...cluster.metadata.annotations, ...claimant.unsettled };
  store.put({ ...cluster, metadata: { ...cluster.metadata, annotations } });
  const keep = vi.fn<() => void>();
  const step = async (_name: string, work: (log: object) => Promise<{ value: unknown }>): Promise<unknown> =>
    (await work({ line: () => undefined })).value;
  const runtime = {
    state: { keep },
    clock: { cancelled: new AbortController().signal },
    report: { log: { step } },
  } as unknown as Runtime;
  const whole = { keepOnFailure: false, created: true, ...fate };
  const failure = await undo({ client } as Connection, identity, whole, thrown, runtime);
  const isThere = store.find(Kinds.cluster, 'pr') !== undefined;
  return { failure, isThere, isKept: keep.mock.calls.length > 0, received };
}

describe('undo', () => {
  it('deletes the Cluster that a failed create made, and adds that to the failure', async () => {
    const { failure, isThere, isKept } = await undone({});
    expect(failure).toMatchObject({
      code: 'KNEST_BOOTSTRAP',
      evidence: [expect.stringMatching(/^Cleaned up: all gone after \d\.\d s\.$/)],
    });
    expect([isThere, isKept]).toEqual([false, false]);
  });

  it('deletes it too when it was to outlive the job, since nobody was given it', async () => {
    expect((await undone({ inputs: { ephemeral: 'false' } })).isThere).toBe(false);
  });

  it('does not delete a Cluster that another job has claimed meanwhile, and says why', async () => {
    const { failure, isThere } = await undone({ claim: 'theirs' });
    expect(failure.evidence).toEqual([expect.stringMatching(/^Not cleaned up: .*KNEST_OWNED_BY_OTHER/)]);
    expect(failure.code).toBe('KNEST_BOOTSTRAP');
    expect(isThere).toBe(true);
  });

  it('leaves everything to the post step of a cancelled job', async () => {
    const thrown = new KnestError({ code: 'KNEST_CANCELLED', problem: 'cancelled' });
    const { failure, received } = await undone({ thrown, fate: { keepOnFailure: true } });
    expect(failure).toBe(thrown);
    expect(received).toEqual([]);
  });

  it('keeps the Cluster on demand, with the provisional expiry that it has, and tells the post step', async () => {
    const inputs = { ephemeral: 'false' };
    const { failure, isThere, isKept } = await undone({ inputs, fate: { keepOnFailure: true } });
    expect(failure.evidence.join('\n')).toContain(identityWith(inputs).unsettled[Annotations.expiresAt]);
    expect([isThere, isKept]).toEqual([true, true]);
  });

  it('keeps an adopted Cluster that outlives the job, without a word of our expiry', async () => {
    const inputs = { ephemeral: 'false' };
    const { failure, isThere, isKept } = await undone({ inputs, fate: { created: false } });
    expect(failure.evidence.join('\n')).not.toContain(identityWith(inputs).unsettled[Annotations.expiresAt]);
    expect([isThere, isKept]).toEqual([true, false]);
  });

  it('keeps an adopted ephemeral Cluster for the post step', async () => {
    const { failure, isThere } = await undone({ fate: { created: false } });
    expect(failure.evidence).toEqual(['Kept until the post step: Cluster knest/pr existed before.']);
    expect(isThere).toBe(true);
  });
});
