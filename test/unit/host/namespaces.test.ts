import { describe, expect, it } from 'vitest';
import { ensureNamespace } from '../../../src/host/namespaces.ts';
import { clientOf, json, refuse } from './server.ts';

const { signal } = new AbortController();

/** Ensures a namespace. Each GET returns the next of these status codes and metadata; the last one repeats. */
async function ensure(answers: readonly (number | object)[], isPrivileged = false) {
  const lines: string[] = [];
  let gets = 0;
  const { client, received } = await clientOf((response, _number, { method }) => {
    const answer = method === 'GET' ? answers[Math.min(gets++, answers.length - 1)] : {};
    if (typeof answer === 'number') refuse(response, answer);
    else json(response, { metadata: { name: 'ci', ...answer } });
  });
  await ensureNamespace(client, 'ci', { isPrivileged, signal, onWait: (line) => lines.push(line) });
  const [made] = received.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body) as object);
  return { made, lines };
}

describe('a namespace', () => {
  it('is created when it does not exist', async () => {
    expect(await ensure([404])).toMatchObject({ made: { metadata: { name: 'ci' } }, lines: [] });
    expect((await ensure([404])).made).not.toHaveProperty('metadata.labels');
  });

  it('admits privileged pods when they are needed', async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'privileged' };
    expect(await ensure([404], true)).toMatchObject({ made: { metadata: { name: 'ci', labels } } });
  });

  it('is not changed when it exists or may not be read', async () => {
    expect(await ensure([{}], true)).toEqual({ made: undefined, lines: [] });
    expect(await ensure([403], true)).toEqual({ made: undefined, lines: [] });
  });

  it('is created again once its deletion has finished', async () => {
    const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z' };
    const { made, lines } = await ensure([deleted, deleted, 404]);
    expect(lines).toEqual(['namespace ci is being deleted; waiting until it is gone']);
    expect(made).toMatchObject({ metadata: { name: 'ci' } });
  });
});
