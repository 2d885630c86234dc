import { describe, expect, it } from 'vitest';
import { quotedAddress, shownAddress, splitCredentials } from '../../../src/values/url-credentials.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('splitCredentials', () => {
  it.each([
    ['https://u:p%40ss@host:6443/path?x=y', 'https://host:6443/path?x=y', 'u:p@ss', ['p%40ss', 'p@ss']],
    ['https://ghp_token@host', 'https://host', 'ghp_token:', ['ghp_token']],
    ['http://u:100%@proxy:3128/', 'http://proxy:3128/', 'u:100%', ['100%']],
    ['https://:only@host/', 'https://host/', ':only', ['only']],
  ])('separates user and password from %s', (text, url, pair, secrets) => {
    expect(splitCredentials(text)).toEqual({
      url,
      authorization: `Basic ${base64(pair)}`,
      secrets: [...secrets, base64(pair)],
    });
  });

  it.each(['https://host:6443', 'https://host/a@b', 'no URL: u:p', ''])('keeps %j unchanged', (text) => {
    expect(splitCredentials(text)).toEqual({ url: text, authorization: undefined, secrets: [] });
  });
});

describe('quotedAddress', () => {
  it.each(['https://host:6443/a/b.yaml', 'mirror.example.com', 'host:6443', 'ftp://host', 'https://'])(
    'quotes %s',
    (text) => {
      expect(quotedAddress(text)).toBe(`"${text}"`);
    },
  );

  it.each([
    'https://u:s3cret@host',
    'https://u:s3cret',
    'u:s3cret@host',
    'https://u:s3cret%40host',
    'https://host?token=s3cret',
    'https://host#s3cret',
    'https://[host',
    'https://host\nsecond line',
  ])('does not quote a possible secret: %j', (text) => {
    expect(quotedAddress(text)).toBe('it');
  });
});

describe('shownAddress', () => {
  it.each([
    ['https://u:s3cret@host/a.yaml?token=s3cret#s3cret', 'https://host/a.yaml'],
    ['https://host/a.yaml?token=s3cret', 'https://host/a.yaml'],
    ['https://host/a.yaml', 'https://host/a.yaml'],
  ])('contains no secret of %s', (text, shown) => {
    expect(shownAddress(text)).toBe(shown);
  });
});
