import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KnestError } from '../../../../src/errors.ts';
import { hasStatus } from '../../../../src/host/api/api-error.ts';
import { RestClient, unobserved } from '../../../../src/host/api/rest.ts';
import { Transport } from '../../../../src/host/api/transport.ts';
import { rejection } from '../../rejection.ts';
import { configFor, json, refuse, serve, type Handler } from '../server.ts';

const never = new AbortController().signal;
const get = { method: 'GET', path: '/version' } as const;

/** Answers like the load balancer of servers that are all down. */
function gateway(response: ServerResponse): void {
  response.writeHead(503, { 'retry-after': '0' }).end('no server is available');
}

describe('a server that does not answer', () => {
  /** A client that has had an answer before, and its reports. */
  async function clientOf(handler: Handler, wasReached = true) {
    const { url, received } = await serve(handler);
    const reports: string[] = [];
    const observe = { ...unobserved, outage: (line: string) => reports.push(line) };
    const client = new RestClient(new Transport(configFor(url), wasReached), never, observe);
    return { client, received, reports };
  }
  const version = ({ path }: { readonly path: string }): boolean => path === '/version';

  it('is waited for longer than the usual retries, with a log line at either end', async () => {
    const { client, reports } = await clientOf((response, number) => {
      if (number < 8) response.socket?.resetAndDestroy();
      else json(response, { ok: true });
    });
    expect(await client.json({ ...get, path: '/api' })).toEqual({ ok: true });
    expect(reports).toEqual([
      expect.stringMatching(/^the API server no longer answers \(.+\); waiting for it$/),
      expect.stringMatching(/^the API server answers again after \d+s$/),
    ]);
  }, 40_000);

  it('is named as the reason of a timeout', async () => {
    const abort = new AbortController();
    const { url } = await serve((response) => gateway(response));
    const reason = new KnestError({ code: 'KNEST_TIMEOUT', problem: 'timed out', next: 'increase it' });
    const outage = (): void => abort.abort(reason);
    const client = new RestClient(new Transport(configFor(url), true), abort.signal, { ...unobserved, outage });
    expect(await rejection(client.json({ ...get, path: '/api' }))).toMatchObject({
      code: 'KNEST_TIMEOUT',
      evidence: [expect.stringMatching(/^the API server has not answered for \d+s: GET \/api failed with 503/)],
      next: expect.stringContaining('check that the API server of the host runs') as string,
    });
  });

  it('is recognised behind a load balancer too', async () => {
    const { client, received, reports } = await clientOf((response, number) => {
      if (number < 9) gateway(response);
      else json(response, { ok: true });
    });
    expect(await client.json({ ...get, path: '/api' })).toEqual({ ok: true });
    // Six tries, then a request for the version, after which another round begins.
    expect(received.map(({ path }) => path).slice(5, 8)).toEqual(['/api', '/version', '/api']);
    expect(reports).toHaveLength(2);
  });

  it('is not waited for when only one path fails, such as an aggregated API', async () => {
    const { client, received, reports } = await clientOf((response, _number, request) => {
      if (version(request)) json(response, {});
      else gateway(response);
    });
    expect(hasStatus(await rejection(client.json({ ...get, path: '/apis/metrics.k8s.io/v1' })), 503)).toBe(true);
    // The usual tries, and a request for the version.
    expect(received).toHaveLength(7);
    expect(reports).toEqual([]);
  });

  it('is not waited for when it never answered, since its address may be wrong', async () => {
    const { client, received } = await clientOf((response) => gateway(response), false);
    expect(hasStatus(await rejection(client.json({ ...get, path: '/api' })), 503)).toBe(true);
    expect(received.filter((request) => !version(request))).toHaveLength(6);
  });

  it('may refuse allowed requests for a short time after it is back', async () => {
    const { client, received } = await clientOf((response, number) => {
      if (number === 0) response.socket?.resetAndDestroy();
      else if (number < 3) refuse(response, 403);
      else json(response, { ok: true });
    });
    expect(await client.json(get)).toEqual({ ok: true });
    // Three tries, and a request for the version after the refusal.
    expect(received).toHaveLength(4);
  });

  describe('and refuses requests for a long time after it is back', () => {
    let later = 0;
    beforeEach(() => {
      const now = performance.now.bind(performance);
      later = 0;
      vi.spyOn(performance, 'now').mockImplementation(() => now() + later);
    });
    afterEach(() => void vi.restoreAllMocks());

    /** Goes away, and then refuses `isRefused` for 10 s after each request for the API. */
    function refusing(isRefused: (path: string, refusals: number) => boolean): Handler {
      let refusals = 0;
      return (response, number, { path }) => {
        if (number === 0) response.socket?.resetAndDestroy();
        else if (isRefused(path, refusals)) {
          refuse(response, 403);
          if (path !== '/api') return;
          refusals += 1;
          later += 10_000;
        } else json(response, { ok: true });
      };
    }

    it('is tried again for as long as it refuses its version, too', async () => {
      const { client } = await clientOf(refusing((_path, refusals) => refusals < 4));
      expect(await client.json({ ...get, path: '/api' })).toEqual({ ok: true });
    });

    it('is believed after two minutes, even when it refuses its version', async () => {
      const { client, received } = await clientOf(refusing(() => true));
      expect(await rejection(client.json({ ...get, path: '/api' }))).toMatchObject({ code: 'KNEST_PERMISSION' });
      const tries = received.filter(({ path }) => path === '/api').length;
      expect(tries).toBeGreaterThan(10);
      expect(tries).toBeLessThan(16);
    }, 60_000);

    it('is believed when it does not refuse its version', async () => {
      const { client, received } = await clientOf(refusing((path) => path === '/api'));
      expect(await rejection(client.json({ ...get, path: '/api' }))).toMatchObject({ code: 'KNEST_PERMISSION' });
      expect(received.filter(({ path }) => path === '/api')).toHaveLength(3);
    });
  });

  it('may refuse allowed requests for a short time after it is back behind its load balancer', async () => {
    const { client, reports } = await clientOf((response, number, request) => {
      if (number < 7) gateway(response);
      else if (number < 9 && !version(request)) refuse(response, 403);
      else json(response, { ok: true });
    });
    expect(await client.json({ ...get, path: '/api' })).toEqual({ ok: true });
    expect(reports).toHaveLength(2);
  });

  it('may answer other requests before this one after it is back', async () => {
    const { client } = await clientOf((response, number, request) => {
      if (number < 7 || (number < 14 && !version(request))) gateway(response);
      else json(response, { ok: true });
    });
    expect(await client.json({ ...get, path: '/api' })).toEqual({ ok: true });
  });

  it('is not assumed after a request that the action itself aborted', async () => {
    const abort = new AbortController();
    const { url, received } = await serve((response, _number, { path }) => {
      if (path === '/slow') abort.abort();
      else refuse(response, 403);
    });
    const transport = new Transport(configFor(url), true);
    await rejection(new RestClient(transport, abort.signal).json({ ...get, path: '/slow' }));
    expect(await rejection(new RestClient(transport, never).json(get))).toMatchObject({ code: 'KNEST_PERMISSION' });
    expect(received).toHaveLength(2);
  });

  it('is not assumed when a server refuses a request at once', async () => {
    const { client, received } = await clientOf((response) => refuse(response, 403));
    expect(await rejection(client.json(get))).toMatchObject({ code: 'KNEST_PERMISSION' });
    expect(received).toHaveLength(1);
  });
});
