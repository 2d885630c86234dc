import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { KubernetesClient } from '../../../../src/host/api/client.ts';
import type { Kind } from '../../../../src/host/api/kinds.ts';
import type { KubernetesObject } from '../../../../src/host/api/objects.ts';
import { RestClient } from '../../../../src/host/api/rest.ts';
import { Transport } from '../../../../src/host/api/transport.ts';
import { namedTarget, watch, watchTarget, watchUntil, type Unavailable } from '../../../../src/host/api/watch.ts';
import { rejection } from '../../rejection.ts';
import { clientOf, configFor, json, refuse, serve, type Handler } from '../server.ts';

const pods: Kind = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
const selection = { namespace: 'knest', labelSelector: 'a=b' };

const pod = (name: string, phase = 'Running') => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  status: { phase },
});
const list = (response: ServerResponse, resourceVersion: string, ...items: KubernetesObject[]): void =>
  json(response, { metadata: { resourceVersion }, items });
const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;

/**
 * Watches what a server serves: `onList` answers lists, `onWatch` watches; both count from 0. The first watches are
 * refused with the status codes in `refusals`.
 */
async function watching(
  onList: (response: ServerResponse, number: number) => void,
  onWatch: (response: ServerResponse, number: number) => void,
  refusals: number[] = [],
) {
  const counts = { list: 0, watch: 0 };
  const handler: Handler = (response, _number, { path }) => {
    if (path.includes('watch=true') && refusals.length > 0) refuse(response, refusals.shift() ?? 500);
    else if (path.includes('watch=true')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      onWatch(response, counts.watch++);
    } else onList(response, counts.list++);
  };
  const { url, received } = await serve(handler);
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const client = new KubernetesClient(new RestClient(new Transport(configFor(url)), new AbortController().signal));
  const objects = new Map<string, KubernetesObject>();
  const onChange = vi.fn<() => void>();
  const onUnavailable = vi.fn<(unavailable: Unavailable) => void>();
  const ended = watch(client, { kind: pods, selection, objects }, onChange, abort.signal, onUnavailable);
  // The caller that waits for the end sees the rejection. This only keeps it from being reported before.
  ended.catch(() => undefined);
  return { abort, ended, objects, onChange, onUnavailable, received, counts };
}

const waitFor = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 5000, interval: 10 });
const idle = (): void => undefined;

describe('watch', () => {
  it('lists, then follows each change from the resource version of the list', async () => {
    let response: ServerResponse | undefined;
    const { objects, onChange, received } = await watching(
      (listed) => list(listed, '100', pod('a'), pod('b')),
      (opened) => (response = opened),
    );
    await waitFor(() => expect(response).toBeDefined());
    expect([...objects.keys()]).toEqual(['a', 'b']);
    expect(onChange).toHaveBeenCalledTimes(1);
    const paths = received.map(({ path }) => new URL(path, 'http://x'));
    expect(paths.map(({ pathname }) => pathname)).toEqual(Array(2).fill('/api/v1/namespaces/knest/pods'));
    expect(Object.fromEntries(paths[0]?.searchParams ?? [])).toEqual({ labelSelector: 'a=b', limit: '500' });
    expect(Object.fromEntries(paths[1]?.searchParams ?? [])).toMatchObject({
      labelSelector: 'a=b',
      watch: 'true',
      resourceVersion: '100',
    });

    response?.write(line('ADDED', pod('c')));
    await waitFor(() => expect([...objects.keys()]).toEqual(['a', 'b', 'c']));
    response?.write(line('MODIFIED', pod('a', 'Failed')));
    await waitFor(() => expect(objects.get('a')).toMatchObject({ status: { phase: 'Failed' } }));
    response?.write(line('DELETED', pod('b')));
    await waitFor(() => expect([...objects.keys()]).toEqual(['a', 'c']));
    expect(onChange).toHaveBeenCalledTimes(4);
  });

  it('joins an event that arrives in pieces, and ignores bookmarks', async () => {
    const { objects } = await watching(
      (response) => list(response, '1'),
      (response) => {
        const text = line('BOOKMARK', { kind: 'Pod', metadata: { name: 'bookmark' } }) + line('ADDED', pod('ä'));
        const bytes = Buffer.from(text);
        // Between the two bytes of a letter.
        const middle = bytes.indexOf(0xc3) + 1;
        response.write(bytes.subarray(0, middle));
        setTimeout(() => response.write(bytes.subarray(middle)), 50);
      },
    );
    await waitFor(() => expect([...objects.keys()]).toEqual(['ä']));
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['ends', (response) => response.end()],
    ['is cut', (response) => response.socket?.resetAndDestroy()],
    ['is cut within an event', (response) => response.write('{"type":"ADD', () => response.socket?.resetAndDestroy())],
    ['expires', (response) => response.write(line('ERROR', { kind: 'Status', code: 410, reason: 'Expired' }))],
  ])('lists again when the stream %s', async (_what, end) => {
    const { objects, received } = await watching(
      (response, number) => list(response, `${number + 1}00`, ...(number === 0 ? [pod('a'), pod('b')] : [pod('b')])),
      (response, number) => {
        if (number === 0) end(response);
        else response.write(line('ADDED', pod('c')));
      },
    );
    await waitFor(() => expect([...objects.keys()]).toEqual(['b', 'c']));
    expect(received.map(({ path }) => /resourceVersion=(\d+)/.exec(path)?.[1])).toEqual([
      undefined,
      '100',
      undefined,
      '200',
    ]);
  });

  it('lists again when a watch is refused for a moment', async () => {
    const { objects, counts } = await watching(
      (response, number) => list(response, '1', pod(`listed-${number}`)),
      idle,
      [429, 503],
    );
    await waitFor(() => expect([...objects.keys()]).toEqual(['listed-2']));
    await waitFor(() => expect(counts.watch).toBe(1));
  });

  it('rejects when a watch is refused permanently', async () => {
    const { ended } = await watching((response) => list(response, '1'), idle, [400]);
    await expect(ended).rejects.toMatchObject({ status: 400 });
  });

  it('resolves when it is aborted during a stream', async () => {
    const { abort, ended, counts } = await watching((response) => list(response, '1'), idle);
    await waitFor(() => expect(counts.watch).toBe(1));
    abort.abort(new Error('enough'));
    await expect(ended).resolves.toBeUndefined();
  });

  it('reports a kind that is not served, and ends', async () => {
    const { ended, objects, onUnavailable } = await watching((response) => refuse(response, 404), idle);
    await ended;
    expect(onUnavailable.mock.calls).toEqual([
      [{ kind: pods, isForbidden: false, reason: 'the host does not serve Pod' }],
    ]);
    expect(objects.size).toBe(0);
  });

  it('reports a forbidden kind, and ends', async () => {
    const { ended, onUnavailable, counts } = await watching((response) => refuse(response, 403), idle);
    await ended;
    const reason = expect.stringMatching(/^pods: .*refused with 403/) as string;
    expect(onUnavailable.mock.calls).toEqual([[{ kind: pods, isForbidden: true, reason }]]);
    expect(counts.list).toBe(1);
  });

  it('rejects at once when it is forbidden and the caller has no handler for that', async () => {
    const { client } = await clientOf((response) => refuse(response, 403));
    const target = watchTarget(pods, selection);
    const waiting = watchUntil(client, [target], () => undefined, AbortSignal.timeout(5_000));
    expect(await rejection(waiting)).toMatchObject({ code: 'KNEST_PERMISSION' });
  });

  it('reads named objects every second, but rarely while nothing is pressing', async () => {
    const { client, received } = await clientOf((response) => json(response, pod('a')));
    let looks = 0;
    const target = namedTarget(pods, 'knest', () => ['a'], { isPressing: () => looks > 4 });
    const roundsAt: number[] = [];
    const evaluate = (): true | undefined => {
      roundsAt[++looks] = received.length;
      return received.length === 3 || undefined;
    };
    await watchUntil(client, [target], evaluate, AbortSignal.timeout(20_000));
    // They are read once right after the round, then once a second.
    expect(roundsAt.slice(1, 5)).toEqual([1, 1, 1, 1]);
    expect(looks).toBeLessThan(12);
  }, 30_000);

  it('waits longer each time when the stream is cut at once', async () => {
    const times: number[] = [];
    const { counts } = await watching(
      (response) => list(response, '1'),
      (response) => {
        times.push(performance.now());
        response.end();
      },
    );
    await vi.waitFor(() => expect(counts.watch).toBe(4), { timeout: 20_000 });
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    // 500 ms, doubled twice, minus up to half of it at random.
    expect(pauses[2]).toBeGreaterThan(990);
  }, 30_000);

  it('keeps no objects that it may list but not watch', async () => {
    const { ended, objects, onUnavailable } = await watching((response) => list(response, '1', pod('a')), idle, [403]);
    await ended;
    expect(objects.size).toBe(0);
    expect(onUnavailable).toHaveBeenCalledTimes(1);
  });

  it.each([400, 401])('rejects when the list does, with %i', async (status) => {
    const { ended, onUnavailable } = await watching((response) => refuse(response, status), idle);
    await expect(ended).rejects.toMatchObject({ status });
    expect(onUnavailable).not.toHaveBeenCalled();
  });
});
