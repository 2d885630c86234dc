import { describe, expect, it } from 'vitest';
import { splitCredentials } from '../../../src/values/url-credentials.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('splitCredentials', () => {
  it.each([
    ['https://u:p%40ss@host:6443/path?x=y', 'https://host:6443/path?x=y', 'u:p@ss', ['p%40ss', 'p@ss']],
    ['https://ghp_token@host', 'https://host', 'ghp_token:', ['ghp_token']],
    ['http://u:100%@proxy:3128/', 'http://proxy:3128/', 'u:100%', ['100%']],
    ['https://:only@host/', 'https://host/', ':only', ['only']],
  ])('takes user and password out of %s', (text, url, pair, secrets) => {
    expect(splitCredentials(text)).toEqual({
      url,
      authorization: `Basic ${base64(pair)}`,
      secrets: [...secrets, base64(pair)],
    });
  });

  it.each(['https://host:6443', 'https://host/a@b', 'no URL: u:p', ''])('leaves %j as it is', (text) => {
    expect(splitCredentials(text)).toEqual({ url: text, authorization: undefined, secrets: [] });
  });
});
