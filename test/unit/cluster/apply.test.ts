import { describe, expect, it } from 'vitest';
import { claimCluster } from '../../../src/cluster/apply.ts';
import { identify } from '../../../src/cluster/identity.ts';
import { machineCounts } from '../../../src/cluster/machine-counts.ts';
import { withOwner } from '../../../src/cluster/stamp.ts';
import { KubernetesClient } from '../../../src/host/client.ts';
import { RestClient } from '../../../src/host/rest.ts';
import { Transport } from '../../../src/host/transport.ts';
import type { KubernetesObject } from '../../../src/host/objects.ts';
import { readJob } from '../../../src/world.ts';
import { readCreate } from '../given-inputs.ts';
import { clientOf, configFor, json, refuse, serve } from '../host/server.ts';
import { rejection } from '../rejection.ts';
import { clusterOf } from './samples.ts';

const signal = new AbortController().signal;

describe('claimCluster', () => {
  it('knows its own Cluster when the answer to its creation was lost', async () => {
    const identity = identify(readCreate({ name: 'pr' }), readJob({ GITHUB_REPOSITORY: 'acme/shop' }), 0);
    let made: KubernetesObject | undefined;
    const { url, received } = await serve((response, _number, { method, path, body }) => {
      if (method === 'POST' && made === undefined) {
        made = JSON.parse(body) as KubernetesObject;
        response.socket?.destroy();
      } else if (method === 'POST') refuse(response, 409);
      else if (path.endsWith('/clusters/pr')) json(response, { ...made, metadata: { ...made?.metadata, uid: 'u-1' } });
      else json(response, {});
    });
    const client = new KubernetesClient(new RestClient(new Transport(configFor(url)), signal));
    const rendered = { cluster: withOwner(clusterOf(), identity), others: [], machines: machineCounts([]) };
    const claimed = await claimCluster(client, rendered, identity, { line: () => undefined }, signal);
    expect(claimed).toEqual({ created: true, uid: 'u-1' });
    expect(received.map(({ method }) => method)).toEqual(['GET', 'POST', 'POST', 'GET']);
  });

  it('tries a few times, with pauses, to create a Cluster that is there at one moment and gone at the next', async () => {
    const identity = identify(readCreate({ name: 'pr' }), readJob({ GITHUB_REPOSITORY_ID: '4711' }), 0);
    const { client, received } = await clientOf((response, _number, { method, path }) => {
      if (method === 'POST') refuse(response, 409);
      else if (path.endsWith('/clusters/pr')) refuse(response, 404);
      else json(response, {});
    });
    const rendered = { cluster: withOwner(clusterOf(), identity), others: [], machines: machineCounts([]) };
    const time = AbortSignal.timeout(1_000);
    const claimed = claimCluster(client, rendered, identity, { line: () => undefined }, time);
    expect(await rejection(claimed)).toMatchObject({ name: 'TimeoutError' });
    expect(received.length).toBeLessThan(10);
  });
});
