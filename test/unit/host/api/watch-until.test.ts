import { describe, expect, it } from 'vitest';
import type { Kind } from '../../../../src/host/api/kinds.ts';
import { isKnownSince, namedTarget, watchTarget, watchUntil } from '../../../../src/host/api/watch.ts';
import { rejection } from '../../rejection.ts';
import { clientOf, json, refuse, type Handler } from '../server.ts';

const pods: Kind = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
const nodes: Kind = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false };
const pod = (name: string, more: object = {}) => ({ metadata: { name, namespace: 'knest', ...more } });

/** Answers lists with these items, leaves watches open, and answers a name with an object of it. */
const serving =
  (items: readonly object[]): Handler =>
  (response, _number, { path }) => {
    if (path.includes('watch=true')) response.writeHead(200).flushHeaders();
    else if (path.includes('?')) json(response, { metadata: { resourceVersion: '1' }, items });
    else json(response, pod(path.replace(/.*\//, '')));
  };

const soon = (): AbortSignal => AbortSignal.timeout(20_000);

describe('watchUntil', () => {
  it('resolves with what the condition returns, and then ends its watches', async () => {
    const closed: string[] = [];
    const { client, received } = await clientOf((response, number, request) => {
      response.on('close', () => closed.push(request.path));
      serving([pod('a')])(response, number, request);
    });
    const target = watchTarget(pods, { namespace: 'knest' });
    const isWatched = () => received.some(({ path }) => path.includes('watch=true'));
    const names = () => (isWatched() ? [...target.objects.keys()] : undefined);
    expect(await watchUntil(client, [target], names, soon())).toEqual(['knest/a']);
    await expect.poll(() => closed.some((path) => path.includes('watch=true'))).toBe(true);
  });

  it('asks for the condition only when every target is listed', async () => {
    let isFirst = true;
    const { client } = await clientOf((response, number, request) => {
      const answer = (): void => serving([pod('a')])(response, number, request);
      // The nodes take longer than the second after which the condition is looked at again.
      if (request.path.includes('/nodes?') && isFirst) setTimeout(answer, 1_300);
      else answer();
      if (request.path.includes('/nodes?')) isFirst = false;
    });
    const targets = [watchTarget(pods, { namespace: 'knest' }), watchTarget(nodes, {})];
    const sizes = await watchUntil(client, targets, () => targets.map(({ objects }) => objects.size), soon());
    expect(sizes).toEqual([1, 1]);
  });

  it('rejects with the reason of its signal, before and during the wait', async () => {
    const { client, received } = await clientOf(serving([]));
    const reason = new Error('enough');
    const target = watchTarget(pods, {});
    const aborted = AbortSignal.abort(reason);
    expect(await rejection(watchUntil(client, [target], () => true, aborted))).toBe(reason);
    expect(received).toEqual([]);
    const abort = new AbortController();
    const evaluate = (): undefined => {
      abort.abort(reason);
    };
    expect(await rejection(watchUntil(client, [target], evaluate, abort.signal))).toBe(reason);
  });

  it('rejects with what the condition throws, and with a failure of the host', async () => {
    const { client } = await clientOf(serving([]));
    const reason = new Error('a dead end');
    const evaluate = (): undefined => {
      throw reason;
    };
    expect(await rejection(watchUntil(client, [watchTarget(pods, {})], evaluate, soon()))).toBe(reason);
    const refusing = await clientOf((response) => refuse(response, 400));
    const waiting = watchUntil(refusing.client, [watchTarget(pods, {})], () => undefined, soon());
    expect(await rejection(waiting)).toMatchObject({ status: 400 });
  });

  it('starts over from a list when the version of a watch is too old for the host', async () => {
    let lists = 0;
    const { client } = await clientOf((response, number, request) => {
      const isWatch = request.path.includes('watch=true');
      if (isWatch && lists === 1) refuse(response, 410);
      else serving([pod(`listed-${isWatch ? lists : ++lists}`)])(response, number, request);
    });
    const target = watchTarget(pods, { namespace: 'knest' });
    const find = () => [...target.objects.keys()].find((name) => name.endsWith('-2'));
    expect(await watchUntil(client, [target], find, soon())).toBe('knest/listed-2');
    expect(target.objects.size).toBe(1);
  });
});

describe('namedTarget', () => {
  it('reads each object by its name, a few at once, and keeps those that are there and meant', async () => {
    let [open, most] = [0, 0];
    const { client, received } = await clientOf((response, _number, { path }) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open -= 1;
        const name = path.replace(/.*\//, '');
        if (name === 'gone') refuse(response, 404);
        else json(response, pod(name, { labels: { ours: String(name !== 'foreign') } }));
      }, 30);
    });
    const names = ['a', 'gone', 'foreign', 'b', 'c', 'd', 'e', 'f'];
    const isMeant = ({ metadata }: { metadata: { labels?: Readonly<Record<string, string>> } }): boolean =>
      metadata.labels?.['ours'] === 'true';
    const target = namedTarget(pods, 'knest', () => names, { isMeant });
    const known = await watchUntil(client, [target], () => [...target.objects.keys()], soon());
    expect(known).toEqual(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `knest/${name}`));
    const paths = received.slice(0, names.length).map(({ path }) => path);
    expect(paths.sort()).toEqual(names.map((name) => `/api/v1/namespaces/knest/pods/${name}`).sort());
    expect(most).toBe(4);
  });

  it('is known as it was when a round began, once that round has ended', async () => {
    const { client } = await clientOf(serving([]));
    const target = namedTarget(pods, 'knest', () => ['a']);
    const before = performance.now();
    expect(isKnownSince(target, before)).toBe(false);
    await watchUntil(client, [target], () => true, soon());
    expect(isKnownSince(target, before)).toBe(true);
    expect(isKnownSince(target, performance.now())).toBe(false);
    expect(isKnownSince(watchTarget(pods, {}), performance.now())).toBe(true);
  });

  it('forgets an object that is gone in the next round', async () => {
    let gets = 0;
    const { client } = await clientOf((response) => {
      if (++gets === 1) json(response, pod('a'));
      else refuse(response, 404);
    });
    const target = namedTarget(pods, 'knest', () => ['a']);
    const began = performance.now();
    const sizes: number[] = [];
    const evaluate = () => (sizes.push(target.objects.size), target.objects.size === 0 || undefined);
    await watchUntil(client, [target], evaluate, soon());
    expect(sizes[0]).toBe(1);
    // A pause of at least a second between two rounds.
    expect(performance.now() - began).toBeGreaterThan(950);
    expect(gets).toBe(2);
  });

  it('pauses longer between rounds of many names', async () => {
    const { client, received } = await clientOf(serving([]));
    const names = Array.from({ length: 150 }, (_none, index) => `p-${index}`);
    const target = namedTarget(pods, 'knest', () => names);
    await watchUntil(client, [target], () => received.length > 150 || undefined, soon());
    expect((received[150]?.at ?? 0) - (received[149]?.at ?? 0)).toBeGreaterThan(1_450);
  });

  it('counts as known, and as empty, when these credentials may not read it', async () => {
    const { client } = await clientOf((response) => refuse(response, 403));
    const target = namedTarget(pods, 'knest', () => ['a']);
    const reasons: string[] = [];
    await watchUntil(
      client,
      [target],
      () => true,
      soon(),
      ({ reason }) => void reasons.push(reason),
    );
    expect(reasons).toEqual([expect.stringContaining('pods: ')]);
    expect(target.objects.size).toBe(0);
    expect(isKnownSince(target, performance.now() + 60_000)).toBe(true);
  });
});
