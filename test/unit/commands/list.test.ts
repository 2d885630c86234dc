import { describe, expect, it } from 'vitest';
import { describeCluster, type ListedCluster } from '../../../src/commands/list.ts';

const now = Date.parse('2026-11-24T10:00:00Z');
const cluster: ListedCluster = {
  state: 'ready',
  name: 'pr-7',
  namespace: 'knest',
  uid: 'u-1',
  resourceVersion: '42',
  managed: true,
  repository: 'acme/shop',
  repositoryId: '4711',
  server: 'github.com',
  runUrl: 'https://github.com/acme/shop/actions/runs/99',
  pool: undefined,
  pullRequest: '7',
  createdAt: '2026-11-24T08:30:00Z',
  expiresAt: '2026-11-24T12:00:00Z',
  keep: false,
  phase: 'Provisioned',
  conditions: { Available: 'True' },
  deleting: false,
  deletionRequestedAt: undefined,
  finalizers: [],
};

describe('describeCluster', () => {
  const row = (parts: Partial<ListedCluster>): readonly string[] => describeCluster({ ...cluster, ...parts }, now);

  it('is a row of name, state, age, expiry, owner and run', () => {
    expect(row({})).toEqual([
      'knest/pr-7',
      'ready',
      '1h30m',
      'in 2h',
      'acme/shop',
      '7',
      'https://github.com/acme/shop/actions/runs/99',
    ]);
  });

  it.each([
    [{ state: 'deleting', deletionRequestedAt: '2026-11-24T08:00:00Z' }, 'deleting for 2h'],
    [
      { state: 'failing', code: 'KNEST_IMAGE_PULL', problem: 'the image cannot be pulled' },
      'failing (KNEST_IMAGE_PULL)',
    ],
    [{ state: 'no CNI' }, 'no CNI'],
    [{ state: 'ready', pool: 'small' }, 'ready, free in pool small'],
    [
      { state: 'deleting', deletionRequestedAt: '2026-11-24T08:00:00Z', pool: 'small' },
      'deleting for 2h, free in pool small',
    ],
  ] as const)('shows the state of %j', (parts, state) => {
    expect(row(parts)[1]).toBe(state);
  });

  it.each([
    [{ expiresAt: undefined }, 'never'],
    [{ expiresAt: '2026-11-24T09:58:30Z' }, '1m30s ago'],
    [{ expiresAt: '2026-11-24T09:58:30Z', keep: true }, '1m30s ago, kept'],
    [{ expiresAt: 'tomorrow' }, '"tomorrow" is not a time'],
  ])('shows the expiry of %j', (parts, expiry) => {
    expect(row(parts)[3]).toBe(expiry);
  });

  it('shows the best known owner, and no negative age', () => {
    const nobody = { repository: undefined, repositoryId: undefined, pullRequest: undefined, runUrl: undefined };
    expect(row(nobody).slice(4)).toEqual(['not created by this action', '', '']);
    expect(row({ repository: undefined })[4]).toBe('4711');
    expect(row({ createdAt: '2026-11-24T10:00:05Z' })[2]).toBe('0s');
  });
});
