import { describe, expect, it } from 'vitest';
import { askPullRequests } from '../../../src/github/pull-requests.ts';
import { Web } from '../../../src/web.ts';
import { readJob } from '../../../src/github/job.ts';
import { json, refuse, serve, type Handler } from '../host/server.ts';
import { rejection } from '../rejection.ts';

const job = readJob({ GITHUB_REPOSITORY: 'acme/shop', GITHUB_REPOSITORY_ID: '4711' });
const { signal } = new AbortController();

function pullRequest(state: string, id = 4711): object {
  return { state, base: { repo: { id } } };
}

async function ask(numbers: readonly string[], handler: Handler, token?: string) {
  const { url, received } = await serve(handler);
  return { states: await askPullRequests(Web.by({}, signal), { url, token }, job, numbers), received };
}

describe('askPullRequests', () => {
  it('reads each pull request once, with the token of the job', async () => {
    const { states, received } = await ask(
      ['1', '2'],
      (response, _number, { path }) => json(response, pullRequest(path.endsWith('/1') ? 'closed' : 'open')),
      'ghs_1',
    );
    expect(states).toEqual({ closed: new Set(['1']), problems: [] });
    expect(received.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
      'GET /repos/acme/shop/pulls/1',
      'GET /repos/acme/shop/pulls/2',
    ]);
    expect(received[0]?.headers.authorization).toBe('Bearer ghs_1');
  });

  it('sends no credentials without a token', async () => {
    const { received } = await ask(['1'], (response) => json(response, pullRequest('open')));
    expect(received[0]?.headers).not.toHaveProperty('authorization');
  });

  it.each<[string, Handler, string]>([
    ['the API refuses', (response) => refuse(response, 403), 'pull request 1: it returns 403 Forbidden'],
    ['does not exist', (response) => refuse(response, 404), 'pull request 1: it returns 404 Not Found'],
    ['cannot be read', (response) => response.destroy(), 'pull request 1: other side closed'],
    [
      'belongs to another repository',
      (response) => json(response, pullRequest('closed', 1)),
      'pull request 1: it does not belong to repository 4711',
    ],
    [
      'has an empty response',
      (response) => json(response, {}),
      'pull request 1: it does not belong to repository 4711',
    ],
  ])('counts a pull request as open that %s', async (_what, handler, problem) => {
    expect((await ask(['1'], handler)).states).toEqual({ closed: new Set(), problems: [problem] });
  });

  it('counts a pull request as open when the response is not JSON', async () => {
    const { states } = await ask(['1'], (response) => response.end('<html>'));
    expect(states).toEqual({ closed: new Set(), problems: ['pull request 1: the answer is not JSON'] });
  });

  it('sends few requests at a time', async () => {
    let waiting = 0;
    let most = 0;
    const numbers = Array.from({ length: 20 }, (_, index) => String(index + 1));
    const { states } = await ask(numbers, (response) => {
      most = Math.max(most, ++waiting);
      setTimeout(() => {
        waiting--;
        json(response, pullRequest('closed'));
      }, 5);
    });
    expect(states.closed.size).toBe(20);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('ends when the job ends', async () => {
    const controller = new AbortController();
    const { url } = await serve(() => controller.abort(new Error('cancelled')));
    const asked = askPullRequests(Web.by({}, controller.signal), { url, token: undefined }, job, ['1']);
    expect(await rejection(asked)).toMatchObject({ message: 'cancelled' });
  });
});
