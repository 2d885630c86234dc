import { describe, expect, it } from 'vitest';
import { ensureNamespace } from '../../../src/host/namespaces.ts';
import { clientOf, json, refuse } from './server.ts';

const { signal } = new AbortController();

/** Ensures a namespace that is got as these statuses and metadata, one after the other; the last stays. */
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
  it('is created where there is none', async () => {
    expect(await ensure([404])).toMatchObject({ made: { metadata: { name: 'ci' } }, lines: [] });
    expect((await ensure([404])).made).not.toHaveProperty('metadata.labels');
  });

  it('admits privileged pods, where they need it', async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'privileged' };
    expect(await ensure([404], true)).toMatchObject({ made: { metadata: { name: 'ci', labels } } });
  });

  it('stays as it is where there is one, or where nobody may look', async () => {
    expect(await ensure([{}], true)).toEqual({ made: undefined, lines: [] });
    expect(await ensure([403], true)).toEqual({ made: undefined, lines: [] });
  });

  it('is waited for while it is being deleted, and made anew', async () => {
    const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z' };
    const { made, lines } = await ensure([deleted, deleted, 404]);
    expect(lines).toEqual(['namespace ci is being deleted; waiting until it is gone']);
    expect(made).toMatchObject({ metadata: { name: 'ci' } });
  });
});
