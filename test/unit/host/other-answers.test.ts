import { describe, expect, it } from 'vitest';
import { KnestError } from '../../../src/errors.ts';
import { RestClient } from '../../../src/host/api/rest.ts';
import { Transport } from '../../../src/host/api/transport.ts';
import { rejection } from '../rejection.ts';
import { configFor, json, refuse, serve } from './server.ts';

const never = new AbortController().signal;
const get = { method: 'GET', path: '/version' } as const;

async function failureOf(work: Promise<unknown>): Promise<KnestError> {
  const thrown = await rejection(work);
  if (thrown instanceof KnestError) return thrown;
  throw thrown;
}

describe('a redirect', () => {
  const requests: [string, (client: RestClient) => Promise<unknown>][] = [
    ['a read', (client) => client.json(get)],
    ['a write', (client) => client.json({ ...get, method: 'POST', body: { data: 'secret' } })],
    ['a log', (client) => client.text(get)],
    ['a watch', (client) => client.stream('/api/v1/pods?watch=true', never)],
  ];
  const cases = [301, 302, 303, 307, 308].flatMap((status) => requests.map((request) => [status, ...request] as const));

  it.each(cases)('is never followed: %d for %s', async (status, _what, send) => {
    const other = await serve((response) => json(response, { gitVersion: 'v1.36.3' }));
    const location = `${other.url}/latest/meta-data?token=secret-in-location`;
    const { url, received } = await serve((response) => response.writeHead(status, { location }).end());
    const error = await failureOf(send(new RestClient(new Transport(configFor(url)), never)));
    expect(error).toMatchObject({
      code: 'KNEST_HOST_UNREACHABLE',
      problem: `no Kubernetes API answers at ${url}: it redirects to ${other.url}; the action does not follow redirects`,
    });
    expect(error.message).not.toContain('secret-in-location');
    expect(other.received).toEqual([]);
    expect(received).toHaveLength(1);
  });

  it.each(['//', 'http://[', undefined])('is reported even when its address is unreadable: %s', async (location) => {
    const { url } = await serve((response) =>
      response.writeHead(302, location === undefined ? {} : { location }).end(),
    );
    const error = await failureOf(new RestClient(new Transport(configFor(url)), never).json(get));
    expect(error.problem).toContain('it redirects to an unknown address');
  });

  it('is never followed with the new credentials after a 401', async () => {
    const other = await serve((response) => json(response, {}));
    const { url } = await serve((response, number) => {
      if (number === 0) refuse(response, 401);
      else response.writeHead(302, { location: other.url }).end();
    });
    await failureOf(new RestClient(new Transport(configFor(url)), never).json(get));
    expect(other.received).toEqual([]);
  });
});

describe('a response that is not JSON', () => {
  it('is reported, without quoting it', async () => {
    const { url } = await serve((response) => response.end('<html>session=secret-in-page</html>'));
    const error = await failureOf(new RestClient(new Transport(configFor(url)), never).json(get));
    expect(error).toMatchObject({
      code: 'KNEST_HOST_UNREACHABLE',
      problem: `no Kubernetes API answers at ${url}: GET /version did not return JSON`,
    });
    expect(error.message + String(error.cause)).not.toContain('secret-in-page');
  });
});
