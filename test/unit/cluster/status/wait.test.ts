import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { KnestError } from '../../../../src/errors.ts';
import { engineOf } from '../../../../src/cluster/engines/engines.ts';
import { Labels } from '../../../../src/cluster/identity/identity.ts';
import { follow, type Goal } from '../../../../src/cluster/status/wait.ts';
import type { KubernetesEvent, KubernetesObject, Pod } from '../../../../src/host/api/objects.ts';
import type { Answer, Received } from '../../../support/api-server.ts';
import { refusal } from '../../../support/api-server.ts';
import { clientOfStore } from '../../host/store.ts';
import { clusterOf, condition, machineOf, podOf, virtualMachineOf, waitingInit } from '../samples.ts';

const handle = { name: 'pr', namespace: 'knest' };
const labels = { [Labels.clusterName]: 'pr' };
const cluster = clusterOf({
  spec: {
    infrastructureRef: { kind: 'VirtinkCluster', name: 'pr' },
    controlPlaneEndpoint: { host: '10.1.2.3', port: 1 },
  },
  status: { conditions: [condition('Available', 'False', { reason: 'NotAvailable' })] },
});
const timeout = new KnestError({ code: 'KNEST_TIMEOUT', problem: 'timed out' });

const event = (number: number): KubernetesEvent => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: `e-${number}` },
  involvedObject: { kind: 'Machine', name: 'm' },
  reason: `R${number}`,
  lastTimestamp: `2026-11-24T12:00:0${number}Z`,
});

/** The objects of a cluster with one machine, whose pod has this status. */
function objects(status: Pod['status']): readonly KubernetesObject[] {
  const ofCluster = <T extends KubernetesObject>(object: T): T => ({
    ...object,
    metadata: { ...object.metadata, labels },
  });
  const parts = [machineOf('m'), virtualMachineOf('m', { phase: 'Scheduling' }), podOf('m', status)];
  return [cluster, ...parts.map(ofCluster), ...[1, 4, 2, 3].map(event)];
}

interface Given {
  readonly objects?: readonly KubernetesObject[];
  readonly answer?: (request: Received) => Answer | undefined;
  readonly isReached?: Goal['isReached'];
  /** What the host is away for. */
  readonly outage?: readonly string[];
  /** Why the wait is ended as soon as the condition was looked at so often. */
  readonly reason?: Error;
  readonly looks?: number;
}

/** Follows a cluster. Returns the lines and the failure. */
async function run({ objects: given = [cluster], answer, isReached, outage, reason, looks = 1 }: Given) {
  const { client, store, received } = await clientOfStore(answer);
  given.forEach((object) => store.put(object));
  if (outage !== undefined) vi.spyOn(client.rest, 'outage', 'get').mockReturnValue(outage);
  const abort = new AbortController();
  let left = looks;
  const goal: Goal = {
    engine: engineOf(cluster),
    persistent: false,
    verb: 'start',
    timeoutSeconds: 1200,
    isReached: (view) => {
      if (--left === 0 && reason !== undefined) abort.abort(reason);
      return isReached?.(view) ?? false;
    },
  };
  const lines: string[] = [];
  const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(20_000)]);
  const log = { line: (text: string): void => void lines.push(text) };
  const failure: unknown = await follow(client, handle, goal, log, signal).catch((thrown: unknown) => thrown);
  return { lines, failure, received };
}

const broken = objects({ phase: 'Pending', ...waitingInit('rootfs', 'image:1', 'ErrImagePull', 'not found') });

describe('follow', () => {
  it('ends when the cluster is as far as it should be, with a line for each change', async () => {
    const isReached: Goal['isReached'] = ({ cluster: found }) => found?.metadata.name === 'pr';
    const { lines, failure } = await run({ objects: objects({ phase: 'Running' }), isReached });
    expect(failure).toBeUndefined();
    expect(lines).toEqual(['infrastructure: API at 10.1.2.3:1', 'machine m: created', 'machine m: VM scheduling']);
  });

  it('fails at a dead end at once, with its chain and the three newest events', async () => {
    const { failure } = await run({ objects: broken });
    expect(failure).toMatchObject({
      code: 'KNEST_IMAGE_PULL',
      problem: 'pr cannot start: the image image:1 cannot be pulled (not found)',
      evidence: [
        expect.stringContaining('init container rootfs: ErrImagePull'),
        expect.stringContaining('Cluster pr'),
        expect.stringContaining('R4'),
        expect.stringContaining('R3'),
        expect.stringContaining('R2'),
      ],
      next: expect.stringContaining('image') as string,
    });
  });

  it('fails at once when the cluster is being deleted', async () => {
    const going = { ...cluster, metadata: { ...cluster.metadata, deletionTimestamp: '2026-11-24T12:00:00Z' } };
    const { failure } = await run({ objects: [going] });
    expect(failure).toMatchObject({
      code: 'KNEST_INFRASTRUCTURE',
      problem: 'pr cannot start: somebody deleted it meanwhile',
    });
  });

  it('fails when the cluster was there and is gone, and not when it may no longer look', async () => {
    const lists = (second: Answer) => {
      let count = 0;
      return ({ path }: Received): Answer | undefined => {
        if (!path.includes('/clusters?')) return undefined;
        // The watch breaks at once, so that the list is asked for again.
        if (path.includes('watch=')) return refusal(410, 'Expired', 'too old');
        return ++count === 1 ? undefined : second;
      };
    };
    const none = { status: 200, body: { metadata: { resourceVersion: '2' }, items: [] } };
    expect((await run({ answer: lists(none) })).failure).toMatchObject({
      problem: 'pr cannot start: somebody deleted it meanwhile',
    });
    const forbidden = await run({ answer: lists(refusal(403, 'Forbidden', 'no')), looks: 4, reason: timeout });
    expect(forbidden.failure).toMatchObject({ code: 'KNEST_TIMEOUT' });
  });

  it('fails at a dead end without events when it may not read those', async () => {
    const answer = ({ path }: Received) =>
      path.includes('/events?') && !path.includes('fieldSelector') ? refusal(403, 'Forbidden', 'no') : undefined;
    const { failure } = await run({ objects: broken, answer });
    expect(failure).toMatchObject({ code: 'KNEST_IMAGE_PULL', evidence: { length: 2 } });
  });

  it('fails at its timeout with what is not as it should be: pods before conditions, then events', async () => {
    const waiting = waitingInit('rootfs', 'image:1', 'ErrImagePull', 'i/o timeout');
    const { failure } = await run({ objects: objects({ phase: 'Pending', ...waiting }), reason: timeout });
    expect(failure).toMatchObject({
      code: 'KNEST_TIMEOUT',
      problem: 'pr is not ready after 20m',
      evidence: [
        expect.stringContaining('Cluster pr'),
        expect.stringContaining('init container rootfs: ErrImagePull'),
        expect.stringContaining('Available is False'),
        expect.stringContaining('R4'),
        expect.stringContaining('R3'),
        expect.stringContaining('R2'),
      ],
      next: expect.stringContaining('increase timeout') as string,
    });
  });

  it('shows the first twelve unmet conditions at its timeout', async () => {
    const conditions = Array.from({ length: 20 }, (_none, number) => condition(`C${number}`, 'False'));
    const { failure } = await run({ objects: [clusterOf({ status: { conditions } })], reason: timeout });
    expect(failure).toMatchObject({ evidence: { length: 13 } });
  });

  it('ignores dead ends while the host is away, and says at its timeout that it was', async () => {
    const { failure } = await run({ objects: broken, outage: ['no answer since 12:00'], reason: timeout });
    expect(failure).toMatchObject({
      code: 'KNEST_TIMEOUT',
      evidence: expect.arrayContaining(['no answer since 12:00']) as string[],
      next: expect.not.stringContaining('increase timeout') as string,
    });
    expect((await run({ objects: broken, outage: ['away'], isReached: () => true })).failure).toBeUndefined();
  });

  it('rejects with any other failure as it is', async () => {
    const reason = new KnestError({ code: 'KNEST_CANCELLED', problem: 'cancelled' });
    expect((await run({ reason })).failure).toBe(reason);
    const answer = () => refusal(400, 'BadRequest', 'no');
    expect((await run({ answer })).failure).toMatchObject({ status: 400 });
  });

  it('logs what it may not watch, and goes on without it', async () => {
    const answer = ({ path }: Received) => (path.includes('/pods?') ? refusal(403, 'Forbidden', 'not you') : undefined);
    const { lines, failure } = await run({ answer, isReached: () => true });
    expect(failure).toBeUndefined();
    expect(lines).toContainEqual(expect.stringMatching(/^cannot watch: pods: .*not you/));
  });

  it('counts a problem that may pass from when it was first seen', async () => {
    const now = performance.now.bind(performance);
    let offset = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + offset);
    onTestFinished(() => clock.mockRestore());
    const waiting = waitingInit('rootfs', 'image:1', 'ErrImagePull', 'i/o timeout');
    const isReached = (): boolean => {
      offset += 40_000;
      return false;
    };
    // Two looks are 40 seconds apart, three are more than a minute.
    const { failure } = await run({
      objects: objects({ phase: 'Pending', ...waiting }),
      isReached,
      looks: 5,
      reason: timeout,
    });
    expect(failure).toMatchObject({ code: 'KNEST_IMAGE_PULL' });
    expect(offset).toBe(80_000);
  });

  it('follows the consoles of running machines until it ends', async () => {
    const { received } = await run({ objects: objects({ phase: 'Running' }), looks: 2, reason: timeout });
    expect(received.filter(({ path }) => path.includes('follow=true'))).toHaveLength(1);
    expect(received.find(({ path }) => path.includes('follow=true'))?.path).toContain('/pods/vm-m/log');
  });
});
