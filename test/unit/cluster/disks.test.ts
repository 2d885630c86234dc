import { describe, expect, it } from 'vitest';
import { tieDisks } from '../../../src/cluster/disks.ts';
import type { Metadata } from '../../../src/host/objects.ts';
import { clientOf, json, refuse } from '../host/server.ts';

const label = { 'cluster.x-k8s.io/cluster-name': 'pr' };
const volumeTemplates = ['rootfs', 'data'].map((name) => ({ dataVolume: { metadata: { name } } }));
const machine = { metadata: { name: 'pr-cp-abcde', uid: 'u1', labels: label }, spec: { volumeTemplates } };
const owner = {
  apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta1',
  kind: 'VirtinkMachine',
  name: 'pr-cp-abcde',
  uid: 'u1',
};

interface Given {
  /** How often another writes to a disk first. */
  readonly conflicts?: number;
  /** The clusters whose disks are meant. */
  readonly names?: readonly string[];
}

/** A host with that one machine and these claims, and what was asked of it to change. */
async function changes(
  claims: readonly Partial<Metadata>[],
  { conflicts = 0, names = ['pr'] }: Given = {},
): Promise<readonly string[]> {
  const whole = claims.map((metadata) => ({ metadata: { namespace: 'knest', resourceVersion: '7', ...metadata } }));
  let left = conflicts;
  const { client, received } = await clientOf((response, _number, { method, path }) => {
    const [, name] = /persistentvolumeclaims\/([^?]+)/.exec(path) ?? [];
    if (method === 'PATCH' && left-- > 0) refuse(response, 409);
    else if (method !== 'GET') json(response, {});
    else if (path.includes('virtinkmachines')) json(response, { items: [machine] });
    else if (name !== undefined)
      json(
        response,
        whole.find(({ metadata }) => metadata.name === name),
      );
    else if (path.includes('persistentvolumeclaims')) json(response, { items: whole });
    else refuse(response, 404);
  });
  await tieDisks(client, 'knest', ...names);
  return received
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path, body }) => {
      const name = /persistentvolumeclaims\/([^?]+)/.exec(path)?.[1] ?? path;
      return method === 'PATCH' ? `${name} ${body}` : `${method} ${name}`;
    });
}

describe('tieDisks', () => {
  it('makes the machine the owner of its disks, beside those that own them', async () => {
    const dataVolume = { apiVersion: 'cdi.kubevirt.io/v1beta1', kind: 'DataVolume', name: 'd', uid: 'u2' };
    expect(
      await changes([{ name: 'pr-cp-abcde-rootfs', ownerReferences: [dataVolume] }, { name: 'pr-cp-abcde-data' }]),
    ).toEqual(
      [['pr-cp-abcde-rootfs', [dataVolume, owner]] as const, ['pr-cp-abcde-data', [owner]] as const].map(
        ([name, ownerReferences]) =>
          `${name} ${JSON.stringify({ metadata: { resourceVersion: '7', labels: label, ownerReferences } })}`,
      ),
    );
  });

  it('does so once', async () => {
    expect(await changes([{ name: 'pr-cp-abcde-rootfs', ownerReferences: [owner] }])).toEqual([]);
  });

  it('tries again when another wrote to a disk in the meantime', async () => {
    expect(await changes([{ name: 'pr-cp-abcde-rootfs' }], { conflicts: 1 })).toHaveLength(2);
  });

  it.each(['pr-cp-fghij-rootfs', 'pr-md-0-fghij-klmno-rootfs'])('deletes %s, whose machine has gone', async (name) => {
    expect(await changes([{ name }])).toEqual([`DELETE ${name}`]);
  });

  it('deletes a disk with the label of the cluster, whatever its name, when its machine has gone', async () => {
    expect(await changes([{ name: 'own-12-disk', labels: label }])).toEqual(['DELETE own-12-disk']);
  });

  it.each([
    'pr-cp-fghij-data', // none of our template's
    'pr-cp-cp-fghij-rootfs', // of a cluster pr-cp
    'pr-cp-fghij-cp-klmno-rootfs', // of a cluster pr-cp-fghij
    'pr-md-0-fghij-cp-klmno-rootfs', // of a cluster pr-md-0-fghij
    'pr-md-0-cp-fghij-rootfs', // of a cluster pr-md-0
    'pr-2-cp-fghij-rootfs', // of a cluster pr-2
    'my-pr-cp-fghij-rootfs', // of a cluster my-pr
    'pr-rootfs',
    'database',
  ])('leaves %s alone: it may be anybody else’s', async (name) => {
    expect(await changes([{ name }])).toEqual([]);
  });

  it('takes several clusters at once, and leaves those of all others', async () => {
    const claims = ['pr-cp-abcde-rootfs', 'main-cp-fghij-rootfs', 'old-cp-klmno-rootfs'].map((name) => ({ name }));
    const both = await changes(claims, { names: ['main', 'pr'] });
    expect(both).toEqual([expect.stringMatching(/^pr-cp-abcde-rootfs /), 'DELETE main-cp-fghij-rootfs']);
    expect(await changes(claims, { names: ['old'] })).toEqual(['DELETE old-cp-klmno-rootfs']);
  });

  it('asks nothing for no cluster', async () => {
    const { client, received } = await clientOf((response) => refuse(response, 500));
    await tieDisks(client, 'knest');
    expect(received).toEqual([]);
  });

  it.each([403, 404])('does nothing where disks cannot be seen (%i)', async (code) => {
    const { client, received } = await clientOf((response) => refuse(response, code));
    await tieDisks(client, 'knest', 'pr');
    expect(received.every(({ method }) => method === 'GET')).toBe(true);
  });
});
