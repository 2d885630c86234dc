import { describe, expect, it } from 'vitest';
import { checkRelay } from '../../../../src/cluster/tunnel/relay-connection.ts';
import { clientOf, json, refuse } from '../../host/server.ts';
import { rejection } from '../../rejection.ts';

const relay = { namespace: 'knest', uid: 'u-1' };
const pod = {
  metadata: { name: 'relay-1', namespace: 'knest' },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
};

describe('checkRelay', () => {
  it.each([
    [400, 'KNEST_HOST_REQUEST'],
    [403, 'KNEST_PERMISSION'],
  ])('names the answer %i of a gateway that passes no WebSockets on', async (status, code) => {
    const { client, received } = await clientOf((response, _number, { path }) => {
      if (path.includes('/portforward')) refuse(response, status);
      else json(response, { metadata: { resourceVersion: '1' }, items: [pod] });
    });
    const failure = await rejection(checkRelay(client, relay, new AbortController().signal, 1_000));
    expect(failure).toMatchObject({
      code,
      problem: expect.stringMatching(/relay-1\/portforward.* failed with/) as string,
    });
    expect(received.some(({ path }) => path.includes('relay-1/portforward'))).toBe(true);
  });
});
