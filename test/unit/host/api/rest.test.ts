import { describe, expect, it } from 'vitest';
import { KnestError } from '../../../../src/errors.ts';
import { ApiError, hasStatus } from '../../../../src/host/api/api-error.ts';
import { RestClient, unobserved } from '../../../../src/host/api/rest.ts';
import { Transport } from '../../../../src/host/api/transport.ts';
import { rejection } from '../../rejection.ts';
import { configFor, json, refuse, serve } from '../server.ts';

const never = new AbortController().signal;
const get = { method: 'GET', path: '/version' } as const;

describe('a request', () => {
  it('carries credentials, path, body and its type', async () => {
    const { url, received } = await serve((response) => json(response, { ok: true }));
    const client = new RestClient(new Transport(configFor(`${url}/`)), never);
    const body = { spec: 1 };
    const answer = await client.json({
      method: 'PATCH',
      path: '/x?y=z',
      body,
      contentType: 'application/merge-patch+json',
    });
    expect(answer).toEqual({ ok: true });
    expect(received).toMatchObject([
      {
        method: 'PATCH',
        path: '/x?y=z',
        body: '{"spec":1}',
        headers: {
          authorization: 'Bearer secret-token',
          'content-type': 'application/merge-patch+json',
          'user-agent': 'knest-action',
        },
      },
    ]);
  });

  it('gives text where no JSON is spoken', async () => {
    const { url } = await serve((response) => response.end('ok'));
    expect(await new RestClient(new Transport(configFor(url)), never).text({ method: 'GET', path: '/readyz' })).toBe(
      'ok',
    );
  });

  it('is observed without credentials and bodies', async () => {
    const { url } = await serve((response) => json(response, { data: 'secret-answer' }));
    const seen: string[] = [];
    await new RestClient(new Transport(configFor(url)), never, {
      ...unobserved,
      request: (line) => seen.push(line),
    }).json({
      method: 'POST',
      path: '/x',
      body: 'secret-body',
    });
    expect(seen).toEqual([expect.stringMatching(/^POST \/x 200 \d+ ms$/)]);
  });
});

describe('a retry', () => {
  it.each([429, 500, 502, 503, 504])('follows a %d', async (status) => {
    const { url, received } = await serve((response, number) =>
      number < 2 ? refuse(response, status, { 'retry-after': '0' }) : json(response, { ok: true }),
    );
    const client = new RestClient(new Transport(configFor(url)), never);
    expect(await client.json(get)).toEqual({ ok: true });
    expect(received).toHaveLength(3);
  });

  it('follows for longer where a webhook of the host does not answer, since its controller may just restart', async () => {
    const { url, received } = await serve((response, number) => {
      const message = 'Internal error occurred: failed calling webhook "default.example.com": connection refused';
      if (number >= 8) json(response, { ok: true });
      else json(response, { kind: 'Status', code: 500, message }, 500, { 'retry-after': '0' });
    });
    expect(await new RestClient(new Transport(configFor(url)), never).json(get)).toEqual({ ok: true });
    expect(received).toHaveLength(9);
  });

  it('follows for longer where a server says that it is too busy, as one does that has just started', async () => {
    const { url, received } = await serve((response, number) => {
      const message = 'storage is (re)initializing';
      if (number >= 14) json(response, { ok: true });
      else json(response, { kind: 'Status', code: 429, message }, 429, { 'retry-after': '0' });
    });
    const client = new RestClient(new Transport(configFor(url)), never);
    expect(hasStatus(await rejection(client.briefly(never).json(get)), 429)).toBe(true);
    expect(received).toHaveLength(6);
    expect(await client.json(get)).toEqual({ ok: true });
    expect(received).toHaveLength(15);
  });

  it('follows a connection that is cut before it answers', async () => {
    const { url, received } = await serve((response, number) => {
      if (number === 0) response.socket?.resetAndDestroy();
      else json(response, { ok: true });
    });
    expect(await new RestClient(new Transport(configFor(url)), never).json(get)).toEqual({ ok: true });
    expect(received).toHaveLength(2);
  });

  it('waits as long as Retry-After says, and a shorter while when it says nothing', async () => {
    const { url, received } = await serve((response, number) => {
      if (number === 0) refuse(response, 503);
      else if (number === 1) refuse(response, 429, { 'retry-after': '1' });
      else json(response, {});
    });
    await new RestClient(new Transport(configFor(url)), never).json(get);
    const [first = 0, second = 0, third = 0] = received.map(({ at }) => at);
    expect(second - first).toBeGreaterThan(100);
    expect(second - first).toBeLessThan(900);
    expect(third - second).toBeGreaterThan(950);
  });

  it('ends when there were enough', async () => {
    const { url, received } = await serve((response) => refuse(response, 503, { 'retry-after': '0' }));
    const thrown = await rejection(new RestClient(new Transport(configFor(url)), never).json({ ...get, retries: 2 }));
    expect(hasStatus(thrown, 503)).toBe(true);
    expect(received).toHaveLength(3);
  });

  it.each([
    [400, 'KNEST_HOST_REQUEST'],
    [403, 'KNEST_PERMISSION'],
    [404, 'KNEST_HOST_REQUEST'],
    [409, 'KNEST_HOST_REQUEST'],
    [422, 'KNEST_HOST_REQUEST'],
  ])('does not follow a %d, whose reason is handed on', async (status, code) => {
    const { url, received } = await serve((response) => refuse(response, status));
    const thrown = await rejection(new RestClient(new Transport(configFor(url)), never).json(get));
    expect(thrown).toBeInstanceOf(ApiError);
    expect(thrown).toMatchObject({
      code,
      status,
      reason: `Reason${status}`,
      problem: `GET /version failed with ${status} Reason${status}: refused with ${status}`,
    });
    expect(received).toHaveLength(1);
  });

  it.each([
    'admission webhook "validation.cluster.x-k8s.io" denied the request: spec.topology: Forbidden: no',
    "clusters \"a\" is forbidden: ValidatingAdmissionPolicy 'sizes' with binding 'all' denied request: too large",
    'pods "a" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1',
    'pods "a" is forbidden: violates PodSecurity "restricted:latest": privileged',
  ])('tells a rule of the host from a missing permission: %s', async (message) => {
    const status = { kind: 'Status', code: 403, reason: 'Forbidden', message };
    const { url } = await serve((response) => json(response, status, 403));
    const thrown = await rejection(new RestClient(new Transport(configFor(url)), never).json(get));
    expect(thrown).toMatchObject({
      code: 'KNEST_HOST_REQUEST',
      next: expect.stringMatching(/a policy of the host/) as string,
    });
  });

  it('takes a namespace that is being deleted for no missing permission', async () => {
    const message =
      'clusters "a" is forbidden: unable to create new content in namespace ci because it is being terminated';
    const status = { kind: 'Status', code: 403, reason: 'Forbidden', message };
    const { url } = await serve((response) => json(response, status, 403));
    const thrown = await rejection(new RestClient(new Transport(configFor(url)), never).json(get));
    expect(thrown).toMatchObject({
      code: 'KNEST_HOST_REQUEST',
      next: 'wait until that namespace is gone, or use another',
    });
  });

  it('passes on the text of a response that is not a Status', async () => {
    const { url } = await serve((response) => response.writeHead(400, 'Bad Request').end('<html>proxy</html>'));
    const thrown = await rejection(new RestClient(new Transport(configFor(url)), never).json(get));
    expect(thrown).toMatchObject({
      status: 400,
      reason: 'Bad Request',
      problem: 'GET /version failed with 400 Bad Request: <html>proxy</html>',
    });
  });
});

describe('a server that does not answer', () => {
  it('is KNEST_HOST_UNREACHABLE with the reason of the network', async () => {
    const { url } = await serve((response) => response.socket?.resetAndDestroy());
    const thrown = await rejection(new RestClient(new Transport(configFor(url)), never).json({ ...get, retries: 1 }));
    expect(thrown).toMatchObject({ code: 'KNEST_HOST_UNREACHABLE' });
    expect(thrown).toHaveProperty('problem', expect.stringContaining(`${url} does not answer: `));
  });

  it('is given up after the time of one try', async () => {
    const { url, received } = await serve(() => undefined);
    const began = performance.now();
    const request = { ...get, retries: 0, timeoutSeconds: 0.2 };
    const thrown = await rejection(new RestClient(new Transport(configFor(url)), never).json(request));
    expect(thrown).toMatchObject({ code: 'KNEST_HOST_UNREACHABLE' });
    expect(performance.now() - began).toBeLessThan(5000);
    expect(received).toHaveLength(1);
  });
});

describe('an abort', () => {
  const reason = new KnestError({ code: 'KNEST_CANCELLED', problem: 'the job was cancelled' });

  it('ends a request that waits for its answer, with the reason', async () => {
    const abort = new AbortController();
    const { url, received } = await serve(() => abort.abort(reason));
    expect(await rejection(new RestClient(new Transport(configFor(url)), abort.signal).json(get))).toBe(reason);
    expect(received).toHaveLength(1);
  });

  it('ends the wait before a retry', async () => {
    const abort = new AbortController();
    const { url, received } = await serve((response) => {
      refuse(response, 429, { 'retry-after': '60' });
      setTimeout(() => abort.abort(reason), 100);
    });
    expect(await rejection(new RestClient(new Transport(configFor(url)), abort.signal).json(get))).toBe(reason);
    expect(received).toHaveLength(1);
  });

  it('that came before sends nothing', async () => {
    const { url, received } = await serve((response) => json(response, {}));
    const thrown = await rejection(new RestClient(new Transport(configFor(url)), AbortSignal.abort(reason)).json(get));
    expect(thrown).toBe(reason);
    expect(received).toHaveLength(0);
  });
});
