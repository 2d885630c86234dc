import { describe, expect, it } from 'vitest';
import { noteBegun, noteComplete, readBegun } from '../../../src/install/unfinished-install.ts';
import { requiredComponents } from '../../../src/catalog/components/required-components.ts';
import { clientOf, json, refuse } from '../host/server.ts';
import { rejection } from '../rejection.ts';
import { versions } from './versions.ts';

const { signal } = new AbortController();
const [first, second] = requiredComponents(versions, 'virtink').map((component) => [component]);
const both = [...(first ?? []), ...(second ?? [])];

/** A host whose Lease has these annotations; undefined without one. The first writes are refused with a conflict. */
async function hostWith(annotations: Readonly<Record<string, string>> | undefined, conflicts = 0) {
  let lease = annotations && {
    metadata: { name: 'knest-action-install', annotations },
    spec: { holderIdentity: 'me' },
  };
  let left = conflicts;
  const { client, received } = await clientOf((response, _number, { method, body }) => {
    if (method === 'GET' && lease === undefined) refuse(response, 404);
    else if (method === 'GET') json(response, lease);
    else if (left-- > 0) refuse(response, 409);
    else json(response, (lease = JSON.parse(body) as NonNullable<typeof lease>));
  });
  const writes = () => received.filter(({ method }) => method !== 'GET').length;
  return { client, writes, lease: () => lease };
}

describe('what this action began to install', () => {
  it('is noted on the Lease with its version, beside what was noted before', async () => {
    const { client, lease } = await hostWith({ other: 'x', 'knest-action/installing': '{"earlier":"v1"}' });
    await noteBegun(client, first ?? [], signal);
    expect([...(await readBegun(client))]).toEqual([
      ['earlier', 'v1'],
      ['cert-manager', 'v1.18.0'],
    ]);
    expect(lease()).toMatchObject({ metadata: { annotations: { other: 'x' } }, spec: { holderIdentity: 'me' } });
  });

  it('is removed from the Lease when it is complete, and nothing else is', async () => {
    const { client, lease } = await hostWith({ other: 'x' });
    await noteBegun(client, both, signal);
    await noteComplete(client, first ?? [], signal);
    expect([...(await readBegun(client)).keys()]).toEqual(['Cluster API']);
    await noteComplete(client, second ?? [], signal);
    expect(lease()?.metadata.annotations).toEqual({ other: 'x' });
  });

  it('is noted again when the Lease was renewed meanwhile', async () => {
    const { client, writes } = await hostWith({}, 1);
    await noteBegun(client, first ?? [], signal);
    expect(writes()).toBe(2);
    expect((await readBegun(client)).size).toBe(1);
  });

  it('is nothing without a Lease, on which nothing can be noted', async () => {
    const { client, writes } = await hostWith(undefined);
    await noteBegun(client, first ?? [], signal);
    expect(writes()).toBe(0);
    expect((await readBegun(client)).size).toBe(0);
  });

  it('is nothing when the note cannot be read as JSON, or the Lease not at all', async () => {
    expect((await readBegun((await hostWith({ 'knest-action/installing': '{broken' })).client)).size).toBe(0);
    const forbidding = await clientOf((response) => refuse(response, 403));
    expect((await readBegun(forbidding.client)).size).toBe(0);
    const failing = await clientOf((response) => refuse(response, 400));
    expect(await rejection(readBegun(failing.client))).toMatchObject({ status: 400 });
  });
});
