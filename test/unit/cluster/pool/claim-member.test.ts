import { describe, expect, it } from 'vitest';
import { Annotations, Labels, type ClusterIdentity } from '../../../../src/cluster/identity/identity.ts';
import { claimMember, onStayingNodes, unfitness } from '../../../../src/cluster/pool/claim-member.ts';
import { hasStatus } from '../../../../src/host/api/api-error.ts';
import type { JsonPatchOperation } from '../../../../src/host/api/client.ts';
import { rejection } from '../../rejection.ts';
import { hostWith } from '../../host/fake-host.ts';
import { clientOf, json, refuse, type Handler } from '../../host/server.ts';
import { identity as someIdentity } from '../samples.ts';
import { HOUR, memberWith, now } from './members.ts';

const rules = { fingerprint: 'ours', now };
const identity: ClusterIdentity = {
  ...someIdentity,
  name: 'small-slot-1',
  claim: 'token',
  annotations: { [Annotations.claim]: 'token', [Annotations.expiresAt]: '2026-11-24T20:00:00Z' },
};
const member = memberWith({});
const claimedBy = (claim: string) => ({
  ...member.cluster,
  metadata: {
    ...member.cluster.metadata,
    labels: { [Labels.managed]: 'true' },
    annotations: { [Annotations.claim]: claim },
  },
});

describe('a member', () => {
  it.each([
    ['being deleted', { deleting: true }],
    ['kept', { keep: true }],
    ['failing', { state: { state: 'failing' } }],
    ['expired', { life: -1 }],
    ['expired', { life: HOUR / 120 }],
    ['expired', { expiresAt: undefined }],
    ['made by other inputs or another version of the action', { fingerprint: 'theirs' }],
    ['not ready', { isReady: false, state: { state: 'starting' } }],
  ] as const)('is not handed out: %s', (reason, changes) => {
    expect(unfitness(memberWith(changes), rules)).toBe(reason);
  });

  it('is handed out when it is ready', () => {
    expect(unfitness(member, rules)).toBeUndefined();
  });
});

describe('onStayingNodes', () => {
  const node = (name: string, ready: string, unschedulable = false) => ({
    metadata: { name },
    spec: { unschedulable },
    status: { conditions: [{ type: 'Ready', status: ready }] },
  });
  const members = ['good', 'cordoned', 'lost'].map((name, index) => memberWith({ slot: index + 1, hostNodes: [name] }));
  const namesOn = async (nodes: unknown): Promise<readonly string[]> => {
    const { client } = await hostWith({ '/api/v1/nodes': nodes });
    return (await onStayingNodes(client, members)).map(({ name }) => name);
  };

  it('leaves out members with a machine on a node that is cordoned or not Ready', async () => {
    const nodes = { items: [node('good', 'True'), node('cordoned', 'True', true), node('lost', 'Unknown')] };
    expect(await namesOn(nodes)).toEqual(['small-slot-1']);
  });

  it('keeps all where these credentials may not list nodes', async () => {
    expect(await namesOn(false)).toHaveLength(3);
  });
});

describe('claimMember', () => {
  /** What claiming resolves to, with the methods of the requests. `patched`: answers the n-th PATCH. */
  async function claim(patched: Handler, current: unknown = member.cluster) {
    let patches = 0;
    const { client, received } = await clientOf((response, _number, request) => {
      if (request.method === 'PATCH') patched(response, patches++, request);
      else if (current === null) refuse(response, 404);
      else json(response, current);
    });
    const claimed = claimMember(client, member, identity);
    return { claimed, received };
  }

  it('tests the uid, the pool and its inputs, and changes owner, expiry and claim in the same write', async () => {
    const { claimed, received } = await claim((response) => json(response, claimedBy('token')));
    expect((await claimed)?.metadata.name).toBe('small-slot-1');
    const [request] = received;
    expect(request?.headers['content-type']).toBe('application/json-patch+json');
    const operations = JSON.parse(request?.body ?? '[]') as readonly JsonPatchOperation[];
    expect(operations.slice(0, 5)).toEqual([
      { op: 'test', path: '/metadata/uid', value: 'u-1' },
      { op: 'test', path: '/metadata/labels/knest-action~1pool', value: 'small' },
      { op: 'test', path: '/metadata/annotations/knest-action~1pool-fingerprint', value: 'ours' },
      { op: 'remove', path: '/metadata/labels/knest-action~1pool' },
      { op: 'remove', path: '/metadata/annotations/knest-action~1unsettled' },
    ]);
    const rest = operations.slice(5);
    expect(new Set(rest.map(({ op }) => op))).toEqual(new Set(['add']));
    expect(rest).toContainEqual({ op: 'add', path: '/metadata/annotations/knest-action~1claim', value: 'token' });
    expect(rest).toContainEqual({ op: 'add', path: '/metadata/annotations/knest-action~1from-pool', value: 'small' });
    expect(received).toHaveLength(1);
  });

  it.each([
    ['another job claimed it', claimedBy('other')],
    ['it is gone', null],
    ['another cluster has its name', { ...member.cluster, metadata: { ...member.cluster.metadata, uid: 'u-9' } }],
  ])('resolves undefined when %s', async (_title, current) => {
    const { claimed } = await claim((response) => refuse(response, 422), current);
    expect(await claimed).toBeUndefined();
  });

  it('resolves undefined for one whose deletion was requested meanwhile', async () => {
    const { metadata } = claimedBy('token');
    const leaving = { ...member.cluster, metadata: { ...metadata, deletionTimestamp: '2026-11-24T12:00:00Z' } };
    const { claimed } = await claim((response) => json(response, leaving));
    expect(await claimed).toBeUndefined();
  });

  it('finds out what became of a write whose answer was lost, also when its repetition is refused', async () => {
    const { claimed } = await claim((response, number) => {
      if (number === 0) response.socket?.resetAndDestroy();
      else refuse(response, 422);
    }, claimedBy('token'));
    expect((await claimed)?.metadata.annotations?.[Annotations.claim]).toBe('token');
  });

  it('tries the same member again while others write to it', async () => {
    const { claimed, received } = await claim((response, number) => {
      if (number < 3) refuse(response, 409);
      else json(response, claimedBy('token'));
    });
    expect((await claimed)?.metadata.name).toBe('small-slot-1');
    expect(received.filter(({ method }) => method === 'PATCH')).toHaveLength(4);
  });

  it('fails when a policy refuses the write, although the member is free', async () => {
    const { claimed } = await claim((response) => refuse(response, 422));
    expect(hasStatus(await rejection(claimed), 422)).toBe(true);
  });

  it('fails when these credentials may not write', async () => {
    const { claimed } = await claim((response) => refuse(response, 403));
    expect(hasStatus(await rejection(claimed), 403)).toBe(true);
  });
});
