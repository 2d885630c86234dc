import { describe, expect, it } from 'vitest';
import { waitForWorkloads } from '../../../src/install/availability.ts';
import { clientOf, json } from '../host/server.ts';
import { rejection } from '../rejection.ts';

const where = { namespace: 'engine', name: 'agent' };
const message = 'pods "agent-x" is forbidden: violates PodSecurity "restricted:latest": privileged';

/** Waits for a workload on a host with this Deployment or DaemonSet. Each list of events returns the next of these. */
async function wait(kind: 'Deployment' | 'DaemonSet', object: object, eventLists: readonly (readonly object[])[] = []) {
  const time = AbortSignal.timeout(2_500);
  let lists = 0;
  const { client } = await clientOf((response, _number, { path }) => {
    if (path.includes('watch=true')) {
      // The events are listed again each time.
      if (path.includes('events')) response.end();
      else response.writeHead(200).flushHeaders();
      return;
    }
    const isMeant = path.includes(kind === 'Deployment' ? '/deployments' : '/daemonsets');
    const events = eventLists[Math.min(lists, eventLists.length - 1)] ?? [];
    if (path.includes('/events')) lists += 1;
    const items = path.includes('/events') ? events : isMeant ? [{ metadata: where, ...object }] : [];
    json(response, { metadata: { resourceVersion: '1' }, items });
  });
  const component = { workloads: [{ kind, ...where }] } as unknown as Parameters<typeof waitForWorkloads>[1][number];
  return rejection(waitForWorkloads(client, [component], undefined, time));
}

function event(name: string, text = message): object {
  const involvedObject = { kind: 'DaemonSet', ...where };
  return { metadata: { name, namespace: 'engine', resourceVersion: name }, involvedObject, message: text };
}

const refused = {
  code: 'KNEST_INSTALL',
  evidence: ['violates PodSecurity "restricted:latest": privileged'],
  next: expect.stringContaining('kubectl label namespace engine ') as string,
};

describe('a workload whose pods the host does not admit', () => {
  it('is a dead end after a condition of its Deployment', async () => {
    const status = { conditions: [{ type: 'ReplicaFailure', status: 'True', message }] };
    expect(await wait('Deployment', { status })).toMatchObject(refused);
  });

  it('is a dead end after a new event of its DaemonSet', async () => {
    expect(await wait('DaemonSet', {}, [[], [event('1')]])).toMatchObject(refused);
  });

  it('is not a dead end after an old event or another one', async () => {
    expect(await wait('DaemonSet', {}, [[event('1')]])).toMatchObject({ name: 'TimeoutError' });
    expect(await wait('DaemonSet', {}, [[], [event('2', 'exceeded quota: pods')]])).toMatchObject({
      name: 'TimeoutError',
    });
  });
});
