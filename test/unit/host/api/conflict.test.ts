import { describe, expect, it, vi } from 'vitest';
import { writeGuarded } from '../../../../src/host/api/conflict.ts';
import { Kinds } from '../../../../src/host/api/kinds.ts';
import type { KubernetesObject, Metadata } from '../../../../src/host/api/objects.ts';
import { rejection } from '../../rejection.ts';
import { clientOf, json, refuse } from '../server.ts';

const pod = (metadata: Partial<Metadata> = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', namespace: 'knest', ...metadata },
});

/** Writes to a pod as it was read, on a host that has this one by the second try; each of the first writes conflicts. */
async function write(read: KubernetesObject, now: KubernetesObject | undefined, conflicts = 1) {
  const { client } = await clientOf((response, _number, { method }) => {
    if (method !== 'GET') refuse(response, 409);
    else if (now === undefined) refuse(response, 404);
    else json(response, now);
  });
  const written: KubernetesObject[] = [];
  const work = vi.fn(async (current: KubernetesObject) => {
    written.push(current);
    if (written.length <= conflicts) await client.create(Kinds.pod, current);
    return 'written';
  });
  const result = await writeGuarded(client, Kinds.pod, read, work).catch((thrown: unknown) => thrown);
  return { result, written };
}

describe('writeGuarded', () => {
  it('writes to the object as it was read, without reading it again', async () => {
    const read = pod({ uid: 'u' });
    expect(await write(read, undefined, 0)).toEqual({ result: 'written', written: [read] });
  });

  it('writes to the object as it is now after a conflict', async () => {
    const now = pod({ uid: 'u', resourceVersion: '2' });
    const { result, written } = await write(pod({ uid: 'u' }), now);
    expect(result).toBe('written');
    expect(written).toEqual([pod({ uid: 'u' }), now]);
  });

  it.each<[string, KubernetesObject, KubernetesObject | undefined]>([
    ['another object has its name', pod({ uid: 'u' }), pod({ uid: 'other' })],
    ['it is gone', pod({ uid: 'u' }), undefined],
    ['it is gone, and had no uid', pod(), undefined],
  ])('writes nothing more after a conflict when %s', async (_what, read, now) => {
    const { result, written } = await write(read, now);
    expect(result).toBeUndefined();
    expect(written).toEqual([read]);
  });

  it('rejects with what the write throws unless that is a conflict', async () => {
    const { client } = await clientOf((response) => refuse(response, 403));
    const failing = writeGuarded(client, Kinds.pod, pod(), async (object) => client.create(Kinds.pod, object));
    expect(await rejection(failing)).toMatchObject({ status: 403 });
  });
});
