import { describe, expect, it } from 'vitest';
import { checkPod } from '../../../../src/cluster/tunnel/pod-connection.ts';
import { relayPod } from '../../../../src/cluster/tunnel/relay.ts';
import { clientOf, json, refuse } from '../../host/server.ts';
import { rejection } from '../../rejection.ts';

const relay = relayPod('pr', 'knest', 'u-1');
const pod = {
  metadata: { name: 'relay-1', namespace: 'knest' },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
};

describe('checkPod', () => {
  const check = async (status: number) => {
    const { client, received } = await clientOf((response, _number, { path }) => {
      if (path.includes('/portforward')) refuse(response, status);
      else json(response, { metadata: { resourceVersion: '1' }, items: [pod] });
    });
    const failure = await rejection(checkPod(client, relay, new AbortController().signal, 3_000));
    return { failure, lookups: received.filter(({ path }) => !path.includes('/portforward')).length };
  };

  it.each([
    [400, 'KNEST_API_ACCESS'],
    [403, 'KNEST_PERMISSION'],
  ])('names the answer %i of a gateway that passes no WebSockets on', async (status, code) => {
    expect((await check(status)).failure).toMatchObject({
      code,
      problem: expect.stringMatching(/relay-1\/portforward.* failed with/) as string,
    });
  });

  it('looks for the pod again when it is gone, for a while', async () => {
    const { failure, lookups } = await check(404);
    expect(failure).toHaveProperty('code', 'KNEST_API_ACCESS');
    expect(lookups).toBeGreaterThan(1);
  });
});
