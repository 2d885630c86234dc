import { describe, expect, it } from 'vitest';
import { waitForHostPod } from '../../../../src/cluster/tunnel/host-pod-wait.ts';
import { relayPod } from '../../../../src/cluster/tunnel/relay.ts';
import type { Pod } from '../../../../src/host/api/objects.ts';
import { rejection } from '../../rejection.ts';
import { clientOf, json } from '../../host/server.ts';

const relay = { name: 'pr', namespace: 'knest', uid: 'u-1' };
const { signal } = new AbortController();

/** A pod of the relay with this image that cannot be pulled, or that is only not ready. */
function pod(name: string, image: string, message?: string): Pod {
  const state = message === undefined ? {} : { waiting: { reason: 'ErrImagePull', message } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'knest' },
    spec: { containers: [{ name: 'relay', image }] },
    status: { phase: 'Pending', containerStatuses: [{ name: 'relay', image, state }] },
  };
}

function ready(name: string): Pod {
  const { status, ...rest } = pod(name, 'haproxy:right');
  return { ...rest, status: { ...status, conditions: [{ type: 'Ready', status: 'True' }] } };
}

/** The end of a wait on a host whose Deployment has the image haproxy:right. `pods` by the number of the list. */
async function wait(pods: (list: number) => readonly Pod[], patience?: number): Promise<unknown> {
  let lists = 0;
  const { client } = await clientOf((response, _number, { path }) => {
    const template = { spec: { containers: [{ name: 'relay', image: 'haproxy:right' }] } };
    if (path.includes('/deployments/')) json(response, { metadata: { name: 'pr-relay' }, spec: { template } });
    // A watch that ends at once is followed by another list.
    else if (path.includes('watch=true')) response.end();
    else json(response, { metadata: { resourceVersion: '1' }, items: pods(lists++) });
  });
  return waitForHostPod(client, relayPod(relay.name, relay.namespace, relay.uid), signal, patience);
}

describe('the wait for a relay', () => {
  it('ends at once when its image does not exist', async () => {
    const failure = await rejection(wait(() => [pod('relay-1', 'haproxy:right', 'not found')]));
    expect(failure).toMatchObject({
      code: 'KNEST_API_ACCESS',
      evidence: ['Pod knest/relay-1, container relay: ErrImagePull: not found'],
    });
  });

  it('does not judge a pod whose image has been replaced', async () => {
    const old = pod('relay-1', 'haproxy:wrong', 'not found');
    await wait((list) => (list < 2 ? [old] : [old, ready('relay-2')]));
  });

  it('ends after a while with what the pod does', async () => {
    const failure = await rejection(wait(() => [pod('relay-1', 'haproxy:right')], 1_500));
    expect(failure).toMatchObject({
      code: 'KNEST_API_ACCESS',
      evidence: [expect.stringMatching(/^after .*: Pod knest\/relay-1: Pending, not ready$/)],
    });
    expect(await rejection(wait(() => [], 1_500))).toMatchObject({
      evidence: [expect.stringContaining('there is no pod')],
    });
  });
});
