import { describe, expect, it } from 'vitest';
import { pathOf, query } from '../../../../src/host/api/paths.ts';
import { Kinds, type Kind } from '../../../../src/host/api/kinds.ts';
import { clientOf, json, refuse, type Received } from '../server.ts';

const pods: Kind = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
const widgets: Kind = { apiVersion: 'example.com/v1', kind: 'Widget', plural: 'widgets', namespaced: false };
const widget = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' } };

describe('the path', () => {
  it.each([
    [pods, undefined, undefined, '/api/v1/pods'],
    [pods, 'knest', undefined, '/api/v1/namespaces/knest/pods'],
    [pods, 'knest', 'a', '/api/v1/namespaces/knest/pods/a'],
    [widgets, 'ignored', 'w', '/apis/example.com/v1/widgets/w'],
    [pods, 'a/b', '../c?d', '/api/v1/namespaces/a%2Fb/pods/..%2Fc%3Fd'],
  ])('of %o in %s named %s is %s', (kind, namespace, name, path) => expect(pathOf(kind, namespace, name)).toBe(path));

  it('contains only parameters that are set, and never the namespace', () => {
    expect(query({ namespace: 'knest', labelSelector: 'a=b,c', fieldSelector: undefined })).toBe(
      '?labelSelector=a%3Db%2Cc',
    );
    expect(query({ namespace: 'knest' })).toBe('');
  });
});

describe('an object that does not exist', () => {
  it('is undefined, an empty list, or nothing to delete', async () => {
    const { client } = await clientOf((response) => refuse(response, 404));
    expect(await client.get(pods, 'a', 'knest')).toBeUndefined();
    expect(await client.list(pods)).toEqual([]);
    expect(await client.listAt(pods, {})).toEqual({ items: [], resourceVersion: undefined });
    expect(await client.delete(pods, 'a', 'knest')).toBe(false);
  });

  it('is distinguished from a forbidden one', async () => {
    const { client } = await clientOf((response) => refuse(response, 403));
    await expect(client.get(pods, 'a', 'knest')).rejects.toMatchObject({ status: 403 });
    await expect(client.list(pods)).rejects.toMatchObject({ status: 403 });
    await expect(client.delete(pods, 'a', 'knest')).rejects.toMatchObject({ status: 403 });
  });
});

describe('a list', () => {
  const page = (names: readonly string[], next?: string) => ({
    items: names.map((name) => ({ metadata: { name } })),
    metadata: { resourceVersion: '7', ...(next !== undefined && { continue: next }) },
  });
  const tokens = (received: readonly Received[]) =>
    received.map(({ path }) => {
      const { searchParams } = new URL(path, 'http://host');
      return [searchParams.get('limit'), searchParams.get('continue')];
    });

  it('is read page by page', async () => {
    const pages = [page(['a', 'b'], 'two'), page(['c'], 'three'), page(['d'])];
    const { client, received } = await clientOf((response, number) => json(response, pages[number]));
    const { items, resourceVersion } = await client.listAt(pods, { namespace: 'knest' });
    expect(items.map(({ metadata: { name } }) => name)).toEqual(['a', 'b', 'c', 'd']);
    expect(resourceVersion).toBe('7');
    expect(tokens(received)).toEqual([
      ['500', null],
      ['500', 'two'],
      ['500', 'three'],
    ]);
  });

  it('is read again at once, without pages, when its pages are too old', async () => {
    const { client, received } = await clientOf((response, number) => {
      if (number === 1) refuse(response, 410);
      else json(response, number === 0 ? page(['a'], 'two') : page(['b', 'c']));
    });
    expect((await client.list(pods)).map(({ metadata: { name } }) => name)).toEqual(['b', 'c']);
    expect(tokens(received)).toEqual([
      ['500', null],
      ['500', 'two'],
      [null, null],
    ]);
  });

  it.each([
    ['offers the same page again', 'same', 'the same page twice', 2],
    ['never stops offering pages', undefined, 'more than 1000 pages', 1_000],
  ])('without an end is refused when the server %s', async (_what, token, problem, requests) => {
    const { client, received } = await clientOf((response, number) =>
      json(response, page([], token ?? `page-${number}`)),
    );
    await expect(client.list(pods)).rejects.toMatchObject({
      code: 'KNEST_HOST_REQUEST',
      problem: `the list of pods has no end: the server returns ${problem}`,
    });
    expect(received).toHaveLength(requests);
  });

  it('is read without pages only once, even if that is too old as well', async () => {
    const { client, received } = await clientOf((response, number) => {
      if (number % 2 === 1) refuse(response, 410);
      else json(response, page(['a'], `page-${number}`));
    });
    await expect(client.list(pods)).rejects.toMatchObject({ status: 410 });
    expect(tokens(received)).toEqual([
      ['500', null],
      ['500', 'page-0'],
      [null, null],
      [null, 'page-2'],
    ]);
  });
});

describe('apply', () => {
  it('is server-side, never forced, with the action as field manager', async () => {
    const { client, received } = await clientOf((response, _number, { path }) =>
      path === '/apis/example.com/v1'
        ? json(response, {
            resources: [
              { name: 'widgets/status', kind: 'Widget', namespaced: false },
              { name: 'widgets', kind: 'Widget', namespaced: false },
            ],
          })
        : json(response, widget),
    );
    await client.apply(widget);
    await client.apply(widget);
    // One discovery request for both.
    expect(received.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /apis/example.com/v1',
      ...Array<string>(2).fill('PATCH /apis/example.com/v1/widgets/w?fieldManager=knest-action'),
    ]);
    expect(received[1]?.headers['content-type']).toBe('application/apply-patch+yaml');
    expect(JSON.parse(received[1]?.body ?? '')).toEqual(widget);
  });

  it('names a kind that the host does not serve, and checks again the next time', async () => {
    const { client, received } = await clientOf((response) => refuse(response, 404));
    await expect(client.apply(widget)).rejects.toThrow('the host does not serve kind Widget in example.com/v1');
    await expect(client.apply(widget)).rejects.toThrow('the host does not serve kind Widget');
    expect(received).toHaveLength(2);
  });

  it('needs no discovery for kinds that the action knows', async () => {
    const { client, received } = await clientOf((response) => refuse(response, 500));
    for (const kind of Object.values<Kind>(Kinds)) expect(await client.kindOf(kind)).toBe(kind);
    expect(received).toHaveLength(0);
  });
});

describe('delete', () => {
  it('runs in the background, with its preconditions', async () => {
    const { client, received } = await clientOf((response) => json(response, {}));
    expect(await client.delete(pods, 'a', 'knest', { uid: 'u', resourceVersion: '7' })).toBe(true);
    expect(received[0]).toMatchObject({ method: 'DELETE', path: '/api/v1/namespaces/knest/pods/a' });
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({
      propagationPolicy: 'Background',
      preconditions: { uid: 'u', resourceVersion: '7' },
    });
  });

  it('fails when the object has changed', async () => {
    const { client } = await clientOf((response) => refuse(response, 409));
    await expect(client.delete(pods, 'a', 'knest', { uid: 'u' })).rejects.toMatchObject({ status: 409 });
  });
});

it('asks for permission with a SelfSubjectAccessReview', async () => {
  const { client, received } = await clientOf((response, number) =>
    json(response, { status: { allowed: number === 0 } }),
  );
  const attributes = { verb: 'create', group: '', resource: 'namespaces' };
  expect(await client.isAllowed(attributes)).toBe(true);
  expect(await client.isAllowed(attributes)).toBe(false);
  expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({ spec: { resourceAttributes: attributes } });
});
