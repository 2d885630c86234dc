import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAction } from '../../../../scripts/docs.ts';
import {
  Annotations,
  generatedName,
  identify,
  Labels,
  owned,
  ownerLabels,
  useOf,
} from '../../../../src/cluster/identity/identity.ts';
import { MAX_NAME_LENGTH, readInputs, type CreateInputs } from '../../../../src/inputs.ts';
import type { Job } from '../../../../src/github/job.ts';

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

const claim = '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';

describe('generatedName', () => {
  const named = (jobName: string): string => generatedName({ ...job, jobName }, claim);

  it.each([
    ['e2e', 'knest-12345678901-1-e2e-0a1b2c3d'],
    ['Build_and_Test', 'knest-12345678901-1-build-and-t-0a1b2c3d'],
    ['an-end-to-end-test-with-a-long-name', 'knest-12345678901-1-an-end-to-e-0a1b2c3d'],
    ['___', 'knest-12345678901-1-0a1b2c3d'],
    ['', 'knest-12345678901-1-0a1b2c3d'],
  ])('keeps as much as possible of the job name %j', (jobName, name) => expect(named(jobName)).toBe(name));

  it('is a DNS-1123 label of at most 40 characters for any job', () => {
    const jobs = fc.record({
      runId: fc.bigInt({ min: 0n, max: 10n ** 30n }).map(String),
      runAttempt: fc.integer({ min: 1, max: 999 }).map(String),
      jobName: fc.string(),
    });
    fc.assert(
      fc.property(jobs, fc.uuid(), (fields, random) => {
        const name = generatedName({ ...job, ...fields }, random);
        expect(name).toMatch(/^[a-z]([-a-z0-9]*[a-z0-9])?$/);
        expect(name.length).toBeLessThanOrEqual(MAX_NAME_LENGTH);
        expect(name.endsWith(`-${random.slice(0, 8)}`)).toBe(true);
      }),
    );
  });

  it('differs between two uses of the action that look the same', () => {
    const [one, other] = [identify(inputs(), job, now), identify(inputs(), job, now)];
    expect(one.name).not.toBe(other.name);
    expect(one.claim).not.toBe(other.claim);
  });
});

describe('useOf', () => {
  const uses: readonly (readonly [string, string | undefined, string | undefined])[] = [
    ['test', undefined, undefined],
    ['test', '1', undefined],
    ['test', '2', undefined],
    ['test-1', undefined, undefined],
    ['test', undefined, 'db'],
    ['test', undefined, '2'],
    ['test', '2', '2'],
    ['test-db', undefined, undefined],
    ['test-2', undefined, undefined],
  ];

  it('distinguishes jobs, matrix legs and steps', () => {
    const texts = uses.map(([jobName, index, step]) => useOf({ jobName, step }, index));
    expect(texts).toEqual([
      'test',
      'test[1]',
      'test[2]',
      'test-1',
      'test/db',
      'test/2',
      'test[2]/2',
      'test-db',
      'test-2',
    ]);
  });

  it('is the same with and without the index of a single leg', () => {
    expect(useOf(job, '0')).toBe(useOf(job, undefined));
  });
});

describe('identify', () => {
  it('uses the given name, or else generates one', () => {
    expect(identify(inputs({ name: 'pr-17' }), job, now)).toMatchObject({ name: 'pr-17', isNameGenerated: false });
    expect(identify(inputs(), job, now, claim)).toMatchObject({
      name: 'knest-12345678901-1-e2e-0a1b2c3d',
      isNameGenerated: true,
    });
  });

  it('writes the claim and the use of the action on the Cluster', () => {
    const identity = identify(inputs({ 'job-index': '3' }), { ...job, step: 'db' }, now, claim);
    expect(identity.claim).toBe(claim);
    expect(identity.annotations).toMatchObject({ [Annotations.claim]: claim, [Annotations.job]: 'e2e[3]/db' });
  });

  it('sets the expiry of an ephemeral cluster, to the second', () => {
    const identity = identify(inputs({ ttl: '4h' }), job, now);
    expect(identity.expiresAt).toBe('2026-11-22T23:10:00Z');
    expect(identity.annotations[Annotations.expiresAt]).toBe('2026-11-22T23:10:00Z');
  });

  it('sets the expiry of other clusters when a ttl is given', () => {
    const identity = identify(inputs({ ephemeral: 'false', ttl: '7d' }), job, now);
    expect(identity.expiresAt).toBe('2026-11-29T19:10:00Z');
    expect(identity.annotations).toMatchObject({
      [Annotations.expiresAt]: '2026-11-29T19:10:00Z',
      [Annotations.ephemeral]: 'false',
    });
  });

  it('sets no expiry for other clusters without a ttl', () => {
    const identity = identify(inputs({ ephemeral: 'false' }), job, now);
    expect(identity.expiresAt).toBeUndefined();
    expect(identity.annotations).not.toHaveProperty([Annotations.expiresAt]);
  });

  it('gives a non-ephemeral cluster a provisional expiry, longer than the create can take', () => {
    expect(identify(inputs({}), job, now).unsettled).toEqual({});
    expect(identify(inputs({ ephemeral: 'false', timeout: '2d' }), job, now, 'c1').unsettled).toEqual({
      [Annotations.unsettled]: 'c1/2026-11-24T20:10:00Z',
      [Annotations.expiresAt]: '2026-11-24T20:10:00Z',
    });
    expect(identify(inputs({ ephemeral: 'false', ttl: '7d' }), job, now, 'c1').unsettled).toEqual({
      [Annotations.unsettled]: 'c1/',
    });
  });
});

describe('ownerLabels', () => {
  it('contain server, repository and run, and the pull request if there is one', () => {
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
  it('adds to existing labels and annotations', () => {
    const identity = identify(inputs(), job, now);
    const metadata = { name: 'x', labels: { a: '1', [Labels.managed]: 'no' }, annotations: { b: '2' } };
    expect(owned(metadata, identity)).toEqual({
      name: 'x',
      labels: { a: '1', ...identity.owner },
      annotations: { b: '2', ...identity.annotations },
    });
  });
});
