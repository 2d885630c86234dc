import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkRepositoryId,
  isDue,
  judge,
  openQuestions,
  type CleanupRules,
} from '../../../../src/cluster/expiry/policy.ts';
import { fleetCluster } from '../../../../src/cluster/identity/fleet-cluster.ts';
import { Annotations, Labels } from '../../../../src/cluster/identity/identity.ts';
import type { Metadata } from '../../../../src/host/api/objects.ts';

const now = Date.parse('2026-11-24T12:00:00Z');
const rules: CleanupRules = { server: 'github.com', repositoryId: '4711', now, closedPullRequests: new Set(['17']) };
const minutes = (count: number): string => new Date(now + count * 60_000).toISOString();

/** A cluster of this repository that expired an hour ago, with these changes. */
function clusterWith(changed: {
  readonly labels?: Readonly<Record<string, string | undefined>>;
  readonly annotations?: Readonly<Record<string, string | undefined>>;
  readonly metadata?: Partial<Metadata>;
}) {
  const labels = {
    [Labels.managed]: 'true',
    [Labels.server]: 'github.com',
    [Labels.repositoryId]: '4711',
    ...changed.labels,
  };
  const annotations = { [Annotations.expiresAt]: minutes(-60), ...changed.annotations };
  const metadata = {
    name: 'knest-1-1-test',
    namespace: 'knest',
    uid: 'u-1',
    resourceVersion: '42',
    labels: defined(labels),
    annotations: defined(annotations),
    ...changed.metadata,
  };
  return fleetCluster({ apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Cluster', metadata });
}

function defined(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

const expiring = (expiresAt: string | undefined) => ({ [Annotations.expiresAt]: expiresAt });

describe('judge', () => {
  it.each<[string, Parameters<typeof clusterWith>[0], string]>([
    ['expired', {}, `it expired at ${minutes(-60)}`],
    ['expired', { annotations: expiring(minutes(0)) }, `it expired at ${minutes(0)}`],
    ['expired', { annotations: { [Annotations.keep]: 'false' } }, `it expired at ${minutes(-60)}`],
    [
      'pull-request-closed',
      { annotations: expiring(minutes(60)), labels: { [Labels.pullRequest]: '17' } },
      'pull request 17 is closed',
    ],
    [
      'alive',
      { annotations: expiring(minutes(60)), labels: { [Labels.pullRequest]: '18' } },
      `it expires at ${minutes(60)}`,
    ],
    ['alive', { annotations: expiring('9999-12-31T23:59:59Z') }, 'it expires at 9999-12-31T23:59:59Z'],
    ['lasting', { annotations: expiring(undefined), labels: { [Labels.pullRequest]: '17' } }, 'it never expires'],
    ['keep', { annotations: { [Annotations.keep]: 'yes' } }, 'it has the annotation knest-action/keep'],
    ['deleting', { metadata: { deletionTimestamp: minutes(-1) } }, 'its deletion was requested 1m ago'],
    [
      'deleting',
      { metadata: { deletionTimestamp: minutes(-90), finalizers: ['a', 'b'] } },
      'its deletion was requested 1h30m ago, it waits for a, b',
    ],
    ['foreign', { labels: { [Labels.managed]: undefined } }, 'it has no label knest-action/managed=true'],
    ['foreign', { labels: { [Labels.managed]: 'True' } }, 'it has no label knest-action/managed=true'],
    ['foreign', { labels: { [Labels.repositoryId]: undefined } }, 'it has no label knest-action/repository-id'],
    ['foreign', { labels: { [Labels.server]: undefined } }, 'it has no label knest-action/server'],
    ['foreign', { labels: { [Labels.server]: 'ghe.example' } }, 'it belongs to a repository on ghe.example'],
    ['foreign', { labels: { [Labels.repositoryId]: '47110' } }, 'it belongs to the repository 47110'],
    ['suspect', { annotations: expiring('tomorrow') }, 'its expiry "tomorrow" is not an RFC 3339 time'],
    ['suspect', { annotations: expiring('') }, 'its expiry "" is not an RFC 3339 time'],
    [
      'suspect',
      { annotations: expiring('2025-02-30T00:00:00Z'), labels: { [Labels.pullRequest]: '17' } },
      'its expiry "2025-02-30T00:00:00Z" is not an RFC 3339 time',
    ],
    ['suspect', { metadata: { uid: '' } }, 'it has no uid or resourceVersion'],
    ['suspect', { metadata: { resourceVersion: '' } }, 'it has no uid or resourceVersion'],
  ])('returns %s for a cluster with the changes %o', (verdict, changed, reason) => {
    expect(judge(clusterWith(changed), rules)).toMatchObject({ verdict, reason });
  });

  it('asks about each pull request once, and only when the answer matters', () => {
    const of = (pullRequest: string, expiry: number) =>
      clusterWith({ annotations: expiring(minutes(expiry)), labels: { [Labels.pullRequest]: pullRequest } });
    const foreign = clusterWith({
      annotations: expiring(minutes(5)),
      labels: { [Labels.pullRequest]: '4', [Labels.repositoryId]: '1' },
    });
    const fleet = [of('1', 5), of('2', 5), of('1', 6), of('3', -5), foreign];
    expect(openQuestions(fleet.map((cluster) => judge(cluster, rules)))).toEqual(['1', '2']);
  });
});

/** The traits of a cluster that cleanup looks at. */
interface Traits {
  readonly name: string;
  readonly managed: string | undefined;
  readonly server: string | undefined;
  readonly repositoryId: string | undefined;
  readonly expiresAt: string | undefined;
  readonly keep: string | undefined;
  readonly pullRequest: string | undefined;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly deletionTimestamp: string | undefined;
}

describe('in any fleet', () => {
  /** Usually the value of a cluster of this repository, otherwise one that only resembles it. */
  const mostly = <T>(ours: T, ...alike: readonly T[]): fc.Arbitrary<T> =>
    fc.oneof({ arbitrary: fc.constant(ours), weight: 8 }, { arbitrary: fc.constantFrom(...alike), weight: 2 });
  const noTimes = ['', '0', '1', 'never', '2020', '2020-01-01', '2020-02-30T00:00:00Z', '2020-01-01T00:00'];
  const cluster: fc.Arbitrary<Traits> = fc.record({
    name: fc.constantFrom('knest-1-1-test', 'knest-1-1-test-2', 'knest-1-10-test', 'production'),
    managed: mostly('true', undefined, 'false', 'True', ''),
    server: mostly('github.com', undefined, '', 'ghe.example', 'github.com.'),
    repositoryId: mostly('4711', undefined, '471', '47110', '04711', ' 4711'),
    expiresAt: fc.oneof(
      { arbitrary: fc.integer({ min: -100_000_000, max: 100_000_000 }).map(minutes), weight: 8 },
      { arbitrary: fc.constantFrom(undefined, ...noTimes), weight: 1 },
      { arbitrary: fc.string(), weight: 1 },
    ),
    keep: mostly(undefined, 'true', '', 'yes', 'false'),
    pullRequest: fc.constantFrom(undefined, '17', '18', '170'),
    uid: mostly('u-1', 'u-2', ''),
    resourceVersion: mostly('1', ''),
    deletionTimestamp: mostly(undefined, minutes(-1)),
  });
  const made = (traits: Traits) => {
    const { managed, server, repositoryId, expiresAt, keep, pullRequest, deletionTimestamp, ...identity } = traits;
    return clusterWith({
      labels: {
        [Labels.managed]: managed,
        [Labels.server]: server,
        [Labels.repositoryId]: repositoryId,
        [Labels.pullRequest]: pullRequest,
      },
      annotations: { [Annotations.expiresAt]: expiresAt, [Annotations.keep]: keep },
      metadata: { ...identity, ...(deletionTimestamp !== undefined && { deletionTimestamp }) },
    });
  };
  /** The promise of the documentation, in other words than the source. */
  const mayGo = (traits: Traits): boolean => {
    const written = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(traits.expiresAt ?? '');
    const time = written ? new Date(traits.expiresAt ?? '') : new Date(Number.NaN);
    const isTime = !Number.isNaN(time.getTime()) && time.toISOString().slice(0, 10) === traits.expiresAt?.slice(0, 10);
    const isOfRepository = traits.server === 'github.com' && traits.repositoryId === '4711';
    const ours = traits.managed === 'true' && isOfRepository;
    const held = traits.keep !== undefined && traits.keep !== 'false';
    const isTold = traits.uid !== '' && traits.resourceVersion !== '';
    const isOver = time.getTime() <= now || traits.pullRequest === '17';
    return ours && !held && isTold && isTime && isOver && traits.deletionTimestamp === undefined;
  };

  it('only clusters of this repository that have expired or whose pull request is closed are due', () => {
    let gone = 0;
    fc.assert(
      fc.property(fc.array(cluster, { maxLength: 20 }), (fleet) => {
        for (const traits of fleet) {
          const due = isDue(judge(made(traits), rules));
          expect(due).toBe(mayGo(traits));
          if (due) gone++;
        }
      }),
      { numRuns: 2000 },
    );
    // Without any due cluster, the property would also hold for a cleanup that deletes nothing.
    expect(gone).toBeGreaterThan(100);
  });

  it('one trait that does not match is enough to keep a cluster', () => {
    const owner = { managed: 'true', server: 'github.com', repositoryId: '4711' };
    const ours = { ...owner, expiresAt: minutes(-1), uid: 'u-1', resourceVersion: '1' };
    const certain = cluster.map((traits) => ({ ...traits, ...ours, keep: undefined, deletionTimestamp: undefined }));
    const change = fc.oneof(
      fc.constantFrom(
        { managed: undefined },
        { managed: 'yes' },
        { repositoryId: undefined },
        { server: undefined },
        { keep: 'true' },
      ),
      fc.string().map((text) => ({ repositoryId: `4711${text}x` })),
      fc.string().map((text) => ({ server: `github.com${text}x` })),
      fc.string({ maxLength: 18 }).map((expiresAt) => ({ expiresAt })),
    );
    fc.assert(
      fc.property(certain, change, (traits, changed) => {
        expect(isDue(judge(made(traits), rules))).toBe(true);
        expect(isDue(judge(made({ ...traits, ...changed }), rules))).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the repository ID', () => {
  const of = (repository: string, repositoryId: string, server = 'github.com') =>
    clusterWith({
      labels: { [Labels.repositoryId]: repositoryId, [Labels.server]: server },
      annotations: { [Annotations.repository]: repository },
    });
  const check =
    (...clusters: ReturnType<typeof of>[]) =>
    () =>
      checkRepositoryId(clusters, 'acme/shop', rules);

  it('is wrong when all clusters with the name of the repository have another ID', () => {
    expect(check(of('acme/shop', '42'), of('else/where', '7'))).toThrow(
      expect.objectContaining({
        code: 'KNEST_RUNNER',
        problem: 'GITHUB_REPOSITORY_ID is 4711, but the clusters of acme/shop are labelled with 42',
        evidence: ['knest/knest-1-1-test'],
      }),
    );
  });

  it.each([
    ['there is no cluster', []],
    ['all clusters belong to others', [of('else/where', '42')]],
    ['a cluster has it', [of('acme/shop', '42'), of('acme/shop', '4711')]],
    ['a cluster has it under an earlier name of the repository', [of('acme/shop', '42'), of('acme/store', '4711')]],
    ['the clusters belong to a repository of that name on another server', [of('acme/shop', '42', 'ghe.example.com')]],
  ])('is not considered wrong when %s', (_what, clusters) => {
    expect(check(...clusters)).not.toThrow();
  });
});
