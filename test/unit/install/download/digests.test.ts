import { MockAgent } from 'undici';
import { describe, expect, it } from 'vitest';
import { ReleaseDigests, type Digest } from '../../../../src/install/download/digests.ts';
import { Web } from '../../../../src/web.ts';

const asset = { repository: 'acme/tool', tag: 'v1.2.3', name: 'tool' };
const SUM = 'a'.repeat(64);

async function find(
  statusCode: number,
  data: string,
  { token, headers = {} }: { readonly token?: string; readonly headers?: Record<string, string> } = {},
): Promise<Digest> {
  const agent = new MockAgent();
  agent.disableNetConnect();
  agent
    .get('https://api.github.com')
    .intercept({ path: '/repos/acme/tool/releases/tags/v1.2.3' })
    .reply(statusCode, data, { headers })
    .persist();
  return new ReleaseDigests(new Web(new AbortController().signal, agent), token).find(asset);
}

const release = (...assets: readonly object[]): string => JSON.stringify({ assets });

describe('ReleaseDigests', () => {
  it('finds the digest of an asset', async () => {
    expect(await find(200, release({ name: 'other' }, { name: 'tool', digest: `sha256:${SUM}` }))).toEqual({
      sum: SUM,
    });
  });

  it.each([
    [
      'a release without the asset',
      200,
      release({ name: 'other' }),
      {},
      'release v1.2.3 of acme/tool has no asset tool',
      undefined,
    ],
    ['no release', 404, '{}', {}, 'there is no release v1.2.3 of acme/tool', undefined],
    [
      'a release that is older than digests',
      200,
      release({ name: 'tool', digest: null }),
      {},
      'GitHub has no SHA-256 of tool: the release is too old',
      'add its sum to checksums-file, or accept it unverified with checksum-policy: warn',
    ],
    [
      'a digest of another kind',
      200,
      release({ name: 'tool', digest: 'sha512:abc' }),
      {},
      'GitHub has no SHA-256 of tool: the release is too old',
      'add its sum to checksums-file, or accept it unverified with checksum-policy: warn',
    ],
    [
      'too many requests without a token',
      403,
      '{}',
      { headers: { 'x-ratelimit-remaining': '0' } },
      'https://api.github.com rejects further requests for now (rate limit)',
      'set github-token to a token of github.com, run the job again later, or pass the sums of the assets in checksums-file',
    ],
    [
      'too many requests with a token',
      403,
      '{}',
      { token: 't', headers: { 'x-ratelimit-remaining': '0' } },
      'https://api.github.com rejects further requests for now (rate limit)',
      'run the job again later, or pass the sums of the assets in checksums-file',
    ],
    [
      'too many requests in too short a time',
      403,
      '{}',
      { token: 't', headers: { 'retry-after': '60', 'x-ratelimit-remaining': '4000' } },
      'https://api.github.com rejects further requests for now (rate limit)',
      'run the job again later, or pass the sums of the assets in checksums-file',
    ],
    [
      'a proxy that refuses the request',
      403,
      '<html>secret</html>',
      {},
      'https://api.github.com refused the request: it returns 403 Forbidden',
      'check what the proxy of this runner lets through, or pass the sums of the assets in checksums-file',
    ],
    [
      'a bad token',
      401,
      '{}',
      { token: 't' },
      'https://api.github.com refused the request: it returns 401 Unauthorized',
      'check github-token, or pass the sums of the assets in checksums-file',
    ],
    [
      'a login page',
      200,
      '<html>secret</html>',
      {},
      'https://api.github.com does not answer: its answer is not JSON',
      'check HTTPS_PROXY and NO_PROXY, or pass the sums of the assets in checksums-file',
    ],
  ])('reports why there is none, with advice: %s', async (_what, status, data, options, problem, next) => {
    expect({ next: undefined, ...(await find(status, data, options)) }).toMatchObject({ problem, next });
  });

  it('distinguishes no answer from a refusal', async () => {
    const agent = new MockAgent();
    agent.disableNetConnect();
    const refused = Object.assign(new Error('connect ECONNREFUSED 192.0.2.1:443'), { code: 'ECONNREFUSED' });
    agent.get('https://api.github.com').intercept({ path: /./ }).replyWithError(refused).persist();
    const digests = new ReleaseDigests(new Web(new AbortController().signal, agent), undefined);
    expect(await digests.find(asset)).toMatchObject({
      problem: 'https://api.github.com does not answer: connect ECONNREFUSED 192.0.2.1:443',
      next: 'check HTTPS_PROXY and NO_PROXY, or pass the sums of the assets in checksums-file',
    });
  }, 10_000);
});
