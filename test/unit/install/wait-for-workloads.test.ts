import { describe, expect, it } from 'vitest';
import { KnestError } from '../../../src/errors.ts';
import { waitForWorkloads } from '../../../src/install/availability.ts';
import type { Component, Workload } from '../../../src/catalog/components/component.ts';
import { clientOf, json, refuse } from '../host/server.ts';
import { rejection } from '../rejection.ts';

const where = { namespace: 'engine', name: 'agent' };
const down = (message: string): object => ({ conditions: [{ type: 'Available', status: 'False', message }] });
const up = { conditions: [{ type: 'Available', status: 'True' }] };
const deployment = (status: object) => ({ metadata: { ...where, uid: 'd' }, status });

interface Given {
  readonly workloads?: readonly Workload[];
  /** By plural; 403 where these credentials may not look. */
  readonly objects?: Readonly<Record<string, readonly object[] | number>>;
  /** What becomes of the Deployment once it is watched. */
  readonly later?: object;
  readonly signal?: AbortSignal;
}

/** Waits for workloads, a Deployment unless others are given. Returns the lines and the failure. */
async function wait({ workloads = [{ kind: 'Deployment', ...where }], objects = {}, later, signal }: Given) {
  const { client, received } = await clientOf((response, _number, { path }) => {
    const [, plural = ''] = /\/([a-z]+)\?/.exec(path) ?? [];
    const found = objects[plural] ?? [];
    if (typeof found === 'number') refuse(response, found);
    else if (!path.includes('watch=true')) json(response, { metadata: { resourceVersion: '1' }, items: found });
    else {
      response.writeHead(200).flushHeaders();
      const event = { type: 'MODIFIED', object: deployment(later ?? {}) };
      if (later !== undefined && plural === 'deployments') response.write(`${JSON.stringify(event)}\n`);
    }
  });
  const lines: string[] = [];
  const component = { workloads } as unknown as Component;
  const log = { line: (text: string): void => void lines.push(text) };
  const failure = await waitForWorkloads(client, [component], log, signal ?? AbortSignal.timeout(20_000)).catch(
    (thrown: unknown) => thrown,
  );
  return { lines, failure, received };
}

/** A signal that aborts as the time of a command does. */
function timeout(): AbortSignal {
  const abort = new AbortController();
  setTimeout(() => abort.abort(new KnestError({ code: 'KNEST_TIMEOUT', problem: 'timed out' })), 300);
  return abort.signal;
}

describe('waitForWorkloads', () => {
  it('asks nothing of the host without workloads', async () => {
    const { failure, received } = await wait({ workloads: [] });
    expect(failure).toBeUndefined();
    expect(received).toEqual([]);
  });

  it('logs a workload when it has become available, and none that was available before', async () => {
    const { lines, failure } = await wait({ objects: { deployments: [deployment(down('0 of 1'))] }, later: up });
    expect(failure).toBeUndefined();
    expect(lines).toEqual(['engine/agent is available']);
    expect((await wait({ objects: { deployments: [deployment(up)] } })).lines).toEqual([]);
  });

  it('waits for a pod of a DaemonSet on at least one node', async () => {
    const workloads: readonly Workload[] = [{ kind: 'DaemonSet', ...where }];
    const daemonsets = (numberReady: number) => [
      { metadata: where, status: { numberReady, desiredNumberScheduled: 3 } },
    ];
    expect((await wait({ workloads, objects: { daemonsets: daemonsets(1) } })).failure).toBeUndefined();
    const { failure } = await wait({ workloads, objects: { daemonsets: daemonsets(0) }, signal: timeout() });
    expect(failure).toMatchObject({ evidence: ['DaemonSet engine/agent runs on 0 of 3 nodes'] });
  });

  it('adds to a timeout what is not available, and what is wrong with the pods of its namespace', async () => {
    const waiting = { waiting: { reason: 'ErrImagePull', message: 'not found' } };
    const pod = (name: string, state: object) => ({
      metadata: { name, namespace: 'engine' },
      status: { containerStatuses: [{ name: 'main', image: 'image:1', state }] },
    });
    const pods = [pod('agent-x', waiting), pod('agent-y', { running: {} })];
    const { failure } = await wait({ objects: { deployments: [deployment(down('0 of 1'))], pods }, signal: timeout() });
    expect(failure).toMatchObject({
      code: 'KNEST_TIMEOUT',
      evidence: [
        'Deployment engine/agent is not available (0 of 1)',
        expect.stringMatching(/^Pod engine\/agent-x, container main: ErrImagePull/) as string,
      ],
    });
  });

  it('rejects with another failure as it is', async () => {
    const signal = AbortSignal.abort(new KnestError({ code: 'KNEST_CANCELLED', problem: 'cancelled' }));
    expect((await wait({ signal })).failure).toMatchObject({ code: 'KNEST_CANCELLED', evidence: [] });
  });

  it('needs the permission to look at workloads, but not at events', async () => {
    expect((await wait({ objects: { deployments: 403 } })).failure).toMatchObject({ code: 'KNEST_PERMISSION' });
    const deployments = [deployment(up)];
    expect((await wait({ objects: { deployments, events: 403 } })).failure).toBeUndefined();
  });

  it('ignores a condition that says no longer that pods cannot be made', async () => {
    const message = 'pods "agent-x" is forbidden: violates PodSecurity "restricted:latest": privileged';
    const status = { conditions: [{ type: 'ReplicaFailure', status: 'False', message }] };
    expect((await wait({ objects: { deployments: [deployment(status)] }, later: up })).failure).toBeUndefined();
  });

  it.each([
    ['another kind', { kind: 'ReplicaSet', ...where }],
    ['another namespace', { kind: 'Deployment', ...where, namespace: 'other' }],
    ['another name', { kind: 'Deployment', ...where, name: 'other' }],
  ])('ignores events about %s', async (_what, involvedObject) => {
    let lists = 0;
    const { client } = await clientOf((response, _number, { path }) => {
      const isOfEvents = path.includes('/events');
      if (path.includes('watch=true')) {
        response.writeHead(200).flushHeaders();
        const message = 'violates PodSecurity "restricted:latest": privileged';
        const metadata = { name: 'e', namespace: 'engine', resourceVersion: '9' };
        const event = { type: 'ADDED', object: { metadata, involvedObject, message } };
        if (isOfEvents) response.write(`${JSON.stringify(event)}\n`);
        // After the event, the Deployment is up.
        else if (path.includes('/deployments'))
          setTimeout(() => response.write(`${JSON.stringify({ type: 'MODIFIED', object: deployment(up) })}\n`), 300);
      } else {
        lists += 1;
        json(response, {
          metadata: { resourceVersion: '1' },
          items: path.includes('/deployments') ? [deployment(down('x'))] : [],
        });
      }
    });
    const component = { workloads: [{ kind: 'Deployment', ...where }] } as unknown as Component;
    await waitForWorkloads(client, [component], undefined, AbortSignal.timeout(20_000));
    expect(lists).toBe(3);
  });

  it('rejects when the host fails', async () => {
    const { client } = await clientOf((response) => refuse(response, 400));
    const component = { workloads: [{ kind: 'Deployment', ...where }] } as unknown as Component;
    const waiting = waitForWorkloads(client, [component], undefined, AbortSignal.timeout(20_000));
    expect(await rejection(waiting)).toMatchObject({ status: 400 });
  });
});
