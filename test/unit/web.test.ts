import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Headers, MockAgent } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { KnestError } from '../../src/errors.ts';
import { describeWebProblem, Web } from '../../src/web.ts';
import { serve } from './host/server.ts';
import { rejection } from './rejection.ts';

const never = new AbortController().signal;
const timeUp = new KnestError({ code: 'KNEST_TIMEOUT', problem: 'timed out after 5s' });

function temporaryFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'web-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, 'file');
}

/** Two https origins, of which the first redirects to the second, and the requests that each receives. */
function redirecting(location: string): { readonly agent: MockAgent; readonly sent: Record<string, string | null>[] } {
  const sent: Record<string, string | null>[] = [];
  const agent = new MockAgent();
  agent.disableNetConnect();
  for (const origin of ['https://one.example.com', 'https://two.example.com', 'http://two.example.com']) {
    agent
      .get(origin)
      .intercept({ path: /./ })
      .reply(({ path, headers }) => {
        const authorization = new Headers(headers).get('authorization');
        sent.push({ url: `${origin}${path}`, authorization });
        return path === '/start'
          ? { statusCode: 302, data: '', responseOptions: { headers: { location } } }
          : { statusCode: 200, data: 'there' };
      })
      .persist();
  }
  return { agent, sent };
}

describe('a download', () => {
  it('is written to a file that only its owner can read', async () => {
    const { url } = await serve((response) => response.end('content'));
    const file = temporaryFile();
    await Web.by({}, never).download({ url }, file);
    expect(readFileSync(file, 'utf8')).toBe('content');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('starts again when it is cut or the server is busy', async () => {
    const { url, received } = await serve((response, number) => {
      if (number === 0) response.writeHead(503).end();
      else if (number === 1) response.writeHead(200, { 'content-length': 7 }).write('con', () => response.destroy());
      else response.end('content');
    });
    const file = temporaryFile();
    await Web.by({}, never).download({ url }, file);
    expect(readFileSync(file, 'utf8')).toBe('content');
    expect(received).toHaveLength(3);
  });

  it('is requested once when the error is permanent', async () => {
    const { url, received } = await serve((response) => response.writeHead(404).end());
    expect(await rejection(Web.by({}, never).download({ url }, temporaryFile()))).toMatchObject({
      status: 404,
      message: 'it returns 404 Not Found',
    });
    expect(received).toHaveLength(1);
  });

  it.each([
    ['the server does not answer', 0],
    ['the server stops after a few bytes', 3],
  ])('ends at the timeout of the command, and reports its progress: %s', async (_how, bytes) => {
    const time = new AbortController();
    const { url } = await serve((response) => {
      if (bytes > 0) response.writeHead(200, { 'content-length': 1000 }).write('x'.repeat(bytes));
      setTimeout(() => time.abort(timeUp), 200);
    });
    expect(await rejection(Web.by({}, time.signal).download({ url }, temporaryFile()))).toMatchObject({
      code: 'KNEST_TIMEOUT',
      evidence: [`the download of ${url} is incomplete: ${bytes} bytes received`],
    });
  });

  it('is not retried when it cannot be written', async () => {
    const { url, received } = await serve((response) => response.end('content'));
    expect(await rejection(Web.by({}, never).download({ url }, '/no/such/directory/file'))).toMatchObject({
      code: 'ENOENT',
    });
    expect(received).toHaveLength(1);
  });
});

describe('a redirect', () => {
  const request = { url: 'https://one.example.com/start', authorization: 'Bearer secret' };

  it('keeps the authorization within the same origin', async () => {
    const { agent, sent } = redirecting('/next');
    expect(await new Web(never, agent).text(request)).toBe('there');
    expect(sent.map(({ authorization }) => authorization)).toEqual(['Bearer secret', 'Bearer secret']);
  });

  it.each(['https://two.example.com/next', '//two.example.com/next'])(
    'drops the authorization for another origin: %s',
    async (location) => {
      const { agent, sent } = redirecting(location);
      expect(await new Web(never, agent).text(request)).toBe('there');
      expect(sent).toEqual([
        { url: 'https://one.example.com/start', authorization: 'Bearer secret' },
        { url: 'https://two.example.com/next', authorization: null },
      ]);
    },
  );

  it.each(['http://two.example.com/next', 'file:///etc/passwd', 'http://'])(
    'is not followed to an address without https: %s',
    async (location) => {
      const { agent, sent } = redirecting(location);
      expect(await rejection(new Web(never, agent).text(request))).toMatchObject({
        message: expect.stringContaining('it redirects to an address that is not https') as string,
      });
      expect(sent).toHaveLength(1);
    },
  );

  it('that loops ends', async () => {
    const { agent, sent } = redirecting('/start');
    expect(await rejection(new Web(never, agent).text(request))).toMatchObject({
      message: 'it redirects more than 10 times',
    });
    expect(sent).toHaveLength(11);
  });
});

it('a network problem is described by its cause', async () => {
  const agent = new MockAgent();
  agent.disableNetConnect();
  const request = { path: '/', method: 'GET' };
  agent.get('https://one.example.com').intercept(request).replyWithError(new Error('connect ECONNREFUSED')).persist();
  const problem = await rejection(new Web(never, agent).text({ url: 'https://one.example.com/' }));
  expect(problem).toMatchObject({ message: 'fetch failed' });
  expect(describeWebProblem(problem)).toBe('connect ECONNREFUSED');
});
