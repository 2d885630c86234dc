import { describe, expect, it } from 'vitest';
import { watchHostPod } from '../../../../src/cluster/tunnel/host-pod-watch.ts';
import { registryPod } from '../../../../src/cluster/registry/registry.ts';
import { clientOf, json, refuse } from '../../host/server.ts';

const serving = {
  metadata: { name: 'r-2', namespace: 'knest', uid: 'u-2' },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
};
const evicted = {
  metadata: { name: 'r-1', namespace: 'knest', uid: 'u-1' },
  status: { phase: 'Failed', reason: 'Evicted', message: 'Pod ephemeral local storage usage exceeds the limit' },
};

describe('watchHostPod', () => {
  it('reports the pod that serves at each look, and once each pod that the host ended, whatever the host answers', async () => {
    const ended = new AbortController();
    const { client, received } = await clientOf((response, number) => {
      if (number === 1) refuse(response, 403);
      else json(response, { metadata: { resourceVersion: '1' }, items: [evicted, serving] });
      if (number === 3) ended.abort();
    });
    const pods: string[] = [];
    const problems: string[] = [];
    await watchHostPod(
      client,
      registryPod('pr', 'knest', 'c-1'),
      { onPod: ({ metadata }) => pods.push(metadata.name), onProblem: (problem) => problems.push(problem) },
      ended.signal,
      1,
    );
    expect(received.length).toBeGreaterThan(2);
    expect(new Set(pods)).toEqual(new Set(['r-2']));
    expect(problems).toEqual([
      'the host ended pod knest/r-1 of the registry of the cluster: Evicted: Pod ephemeral local storage usage exceeds the limit',
    ]);
  });
});
