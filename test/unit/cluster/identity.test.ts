import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAction } from '../../../scripts/docs.ts';
import {
  Annotations,
  claim,
  defaultName,
  identify,
  Labels,
  owned,
  ownerLabels,
} from '../../../src/cluster/identity.ts';
import type { Metadata } from '../../../src/host/objects.ts';
import { MAX_NAME_LENGTH, readInputs, type CreateInputs } from '../../../src/inputs.ts';
import type { Job } from '../../../src/world.ts';

const job: Job = {
  server: 'github.com',
  repository: 'acme/shop',
  repositoryId: '4711',
  runId: '12345678901',
  runAttempt: '1',
  jobName: 'e2e',
  step: undefined,
  runUrl: 'https://github.com/acme/shop/actions/runs/12345678901',
  pullRequest: undefined,
};
const now = Date.parse('2026-11-22T19:10:00.123Z');

function inputs(given: Readonly<Record<string, string>> = {}): CreateInputs {
  const { inputs: defaults } = readAction();
  const read = readInputs((name) => given[name] ?? defaults[name]?.default ?? '');
  if (read.command !== 'create') throw new Error('not a create');
  return read;
}

describe('defaultName', () => {
  const named = (jobName: string): string => defaultName({ ...job, jobName });

  it('is readable when the name of the job is short and plain', () => {
    expect(named('e2e')).toBe('knest-12345678901-1-e2e');
  });

  it.each([
    ['Build_and_Test', /^knest-12345678901-1-build-and-tes-[0-9a-f]{6}$/],
    ['an-end-to-end-test-with-a-long-name', /^knest-12345678901-1-an-end-to-end-[0-9a-f]{6}$/],
    ['___', /^knest-12345678901-1-[0-9a-f]{6}$/],
    ['', /^knest-12345678901-1-[0-9a-f]{6}$/],
  ])('keeps what it can of %s, with a hash', (jobName, pattern) => expect(named(jobName)).toMatch(pattern));

  const jobs = fc.record({
    runId: fc.bigInt({ min: 1n, max: 999_999_999_999n }).map(String),
    runAttempt: fc.integer({ min: 1, max: 999 }).map(String),
    // GitHub's rule for the id of a job.
    jobName: fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_-]{0,60}$/),
  });

  it('is a DNS-1123 label of at most 40 characters for any job', () => {
    fc.assert(
      fc.property(jobs, (fields) => {
        const name = defaultName({ ...job, ...fields });
        expect(name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
        expect(name.length).toBeLessThanOrEqual(MAX_NAME_LENGTH);
      }),
    );
  });

  it('differs for any two jobs, however alike', () => {
    const alike = jobs.chain((one) => {
      const change = fc.constantFrom(
        { ...one, jobName: one.jobName.toLowerCase() },
        { ...one, jobName: one.jobName.toUpperCase() },
        { ...one, jobName: one.jobName.replaceAll('_', '-') },
        { ...one, jobName: `${one.jobName}-` },
        { ...one, jobName: `${one.jobName}x`.repeat(2) },
        { ...one, runAttempt: `${one.runAttempt}1` },
        { ...one, runId: `${one.runId}1` },
        { ...one, runId: one.runAttempt, runAttempt: one.runId.slice(0, 3) },
      );
      return fc.tuple(fc.constant(one), fc.oneof(change, jobs));
    });
    fc.assert(
      fc.property(alike, ([one, other]) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        expect(defaultName({ ...job, ...one })).not.toBe(defaultName({ ...job, ...other }));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('identify', () => {
  it('takes the name that was given, else makes one', () => {
    expect(identify(inputs({ name: 'pr-17' }), job, now).name).toBe('pr-17');
    expect(identify(inputs(), job, now).name).toBe('knest-12345678901-1-e2e');
  });

  it('sets the expiry of an ephemeral cluster, to the second', () => {
    const identity = identify(inputs({ ttl: '4h' }), job, now);
    expect(identity.expiresAt).toBe('2026-11-22T23:10:00Z');
    expect(identity.annotations[Annotations.expiresAt]).toBe('2026-11-22T23:10:00Z');
  });

  it('sets that of any other when it is asked to', () => {
    const identity = identify(inputs({ ephemeral: 'false', ttl: '7d' }), job, now);
    expect(identity.expiresAt).toBe('2026-11-29T19:10:00Z');
    expect(identity.annotations).toMatchObject({
      [Annotations.expiresAt]: '2026-11-29T19:10:00Z',
      [Annotations.ephemeral]: 'false',
    });
  });

  it('lets any other live on when it is not', () => {
    const identity = identify(inputs({ ephemeral: 'false' }), job, now);
    expect(identity.expiresAt).toBeUndefined();
    expect(identity.annotations).not.toHaveProperty([Annotations.expiresAt]);
  });
});

describe('ownerLabels', () => {
  it('name server, repository and run, and the pull request if there is one', () => {
    const labels = {
      [Labels.managed]: 'true',
      [Labels.server]: 'github.com',
      [Labels.repositoryId]: '4711',
      [Labels.runId]: '12345678901',
    };
    expect(ownerLabels(job)).toEqual(labels);
    expect(ownerLabels({ ...job, pullRequest: '17' })).toEqual({ ...labels, [Labels.pullRequest]: '17' });
  });
});

describe('owned', () => {
  it('adds to the labels and annotations that are there', () => {
    const identity = identify(inputs(), job, now);
    const metadata = { name: 'x', labels: { a: '1', [Labels.managed]: 'no' }, annotations: { b: '2' } };
    expect(owned(metadata, identity)).toEqual({
      name: 'x',
      labels: { a: '1', ...identity.owner },
      annotations: { b: '2', ...identity.annotations },
    });
  });
});

describe('claim', () => {
  /** A cluster as it is on the host, made by a job like ours but for what is changed. */
  function existing(changed: Partial<Job> = {}, ephemeral = true, metadata: Partial<Metadata> = {}): Metadata {
    const identity = identify(inputs({ name: 'shared', ephemeral: String(ephemeral) }), { ...job, ...changed }, now);
    return { ...owned({ name: 'shared' }, identity), ...metadata };
  }
  const mine = (changed: Partial<Job> = {}, ephemeral = true) =>
    identify(inputs({ name: 'shared', ephemeral: String(ephemeral) }), { ...job, ...changed }, now);

  it('takes what the same run made, in an earlier attempt too', () => {
    expect(claim(existing(), mine({ runAttempt: '2' }))).toBe('ours');
  });

  it('takes what another run made for the same pull request', () => {
    expect(claim(existing({ runId: '1', pullRequest: '17' }), mine({ pullRequest: '17' }))).toBe('ours');
  });

  it('takes what outlives its run, of the same repository', () => {
    expect(claim(existing({ runId: '1' }, false), mine({}, false))).toBe('ours');
    const expiring = identify(inputs({ name: 'shared', ephemeral: 'false', ttl: '7d' }), { ...job, runId: '1' }, now);
    expect(claim(owned({ name: 'shared' }, expiring), mine({}, false))).toBe('ours');
  });

  it('does not take what outlives its run for a job that would delete it in the end', () => {
    const refused = 'it is not ephemeral, but would be deleted with this job: set ephemeral to false';
    expect(claim(existing({ runId: '1' }, false), mine())).toEqual({ refused });
    expect(claim(existing({}, false), mine())).toEqual({ refused });
  });

  it('sees that what is ours is being deleted', () => {
    expect(claim(existing({}, true, { deletionTimestamp: '2026-11-22T19:00:00Z' }), mine())).toBe('deleting');
  });

  it.each<[string, Metadata, string]>([
    ['that has no owner', { name: 'shared' }, 'it was not made by knest-action'],
    [
      'of another repository',
      existing({ repositoryId: '1', repository: 'evil/corp', runUrl: 'https://github.com/evil/corp/actions/runs/1' }),
      'it belongs to evil/corp (https://github.com/evil/corp/actions/runs/1)',
    ],
    [
      'of another repository that outlives its run',
      existing({ repositoryId: '1', repository: 'evil/corp' }, false),
      `it belongs to evil/corp (${job.runUrl})`,
    ],
    [
      'of another repository that is being deleted',
      existing({ repositoryId: '1', repository: 'evil/corp' }, true, { deletionTimestamp: '2026-11-22T19:00:00Z' }),
      `it belongs to evil/corp (${job.runUrl})`,
    ],
    ['of another run', existing({ runId: '1' }), `another run of this repository uses it (${job.runUrl})`],
    [
      'of another pull request',
      existing({ runId: '1', pullRequest: '16' }),
      `another run of this repository uses it (${job.runUrl})`,
    ],
  ])('refuses one %s', (_what, metadata, refused) => {
    expect(claim(metadata, mine({ pullRequest: '17' }))).toEqual({ refused });
  });

  it('does not take two clusters without a pull request for ones of the same', () => {
    expect(claim(existing({ runId: '1' }), mine())).toHaveProperty('refused');
  });
});
