import { describe, expect, it } from 'vitest';
import { removeCluster } from '../../../src/cluster/removal.ts';
import { clientOf, json, refuse } from '../host/server.ts';
import { rejection } from '../rejection.ts';

const handle = { name: 'pr', namespace: 'knest' };
const cluster = { metadata: { name: 'pr', namespace: 'knest', uid: 'u', labels: { owner: 'us' } } };

describe('removeCluster', () => {
  it('asks again for as long as the host cannot answer', async () => {
    let deletions = 0;
    const { client } = await clientOf((response, _number, { method, path }) => {
      if (method === 'DELETE' && ++deletions <= 7) refuse(response, 500, { 'retry-after': '0' });
      else if (path.includes('?')) json(response, { metadata: { resourceVersion: '1' }, items: [] });
      else json(response, cluster);
    });
    const lines: string[] = [];
    const log = { line: (line: string): void => void lines.push(line) };
    const existed = await removeCluster(client, handle, { owner: 'us' }, log, AbortSignal.timeout(20_000));
    expect([existed, deletions]).toEqual([true, 8]);
    expect(lines).toEqual([expect.stringMatching(/^deletion is requested again: DELETE .* was answered 500 /)]);
  });

  it('asks again with pauses when the Cluster changes every time', async () => {
    const { client, received } = await clientOf((response, _number, { method }) => {
      if (method === 'DELETE') refuse(response, 409);
      else json(response, cluster);
    });
    const log = { line: (): void => undefined };
    const failure = await rejection(removeCluster(client, handle, { owner: 'us' }, log, AbortSignal.timeout(1_500)));
    expect(failure).toMatchObject({ status: 409 });
    expect(received.length).toBeLessThan(8);
  });

  it('ends with what the host said when time is up', async () => {
    const { client } = await clientOf((response, _number, { method }) => {
      if (method === 'DELETE') refuse(response, 503, { 'retry-after': '0' });
      else json(response, cluster);
    });
    const log = { line: (): void => undefined };
    const failure = await rejection(removeCluster(client, handle, { owner: 'us' }, log, AbortSignal.timeout(1_500)));
    expect(String(failure)).toContain('was answered 503');
  });
});
