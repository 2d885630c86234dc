import { describe, expect, it } from 'vitest';
import { isProxyAddress, proxyFor, secretsOfProxies } from '../../../../src/host/kubeconfig/proxy.ts';
import { Web } from '../../../../src/web.ts';
import { serve } from '../server.ts';

const proxy = 'http://proxy.example:3128';

// test/e2e/kubectl.test.ts compares these cases with kubectl.
describe('the proxy for an address', () => {
  it.each<[string, string, NodeJS.ProcessEnv, string]>([
    ['none without a variable', 'https://api.example.com', {}, ''],
    ['the one in HTTPS_PROXY', 'https://api.example.com', { HTTPS_PROXY: proxy }, proxy],
    [
      'the one in HTTP_PROXY for http',
      'http://api.example.com',
      { HTTP_PROXY: proxy, HTTPS_PROXY: 'http://x:1' },
      proxy,
    ],
    ['none with a proxy for the other protocol', 'https://api.example.com', { HTTP_PROXY: proxy }, ''],
    ['never the one in ALL_PROXY', 'https://api.example.com', { ALL_PROXY: proxy, all_proxy: proxy }, ''],
    ['the upper-case variable first', 'https://a.example', { HTTPS_PROXY: proxy, https_proxy: 'http://x:1' }, proxy],
    [
      'the lower-case variable when the other is blank',
      'https://a.example',
      { HTTPS_PROXY: '', https_proxy: proxy },
      proxy,
    ],
    [
      'a socks5h proxy as socks5, as in a kubeconfig',
      'https://a.example',
      { HTTPS_PROXY: 'socks5h://p:1080' },
      'socks5://p:1080',
    ],
    ['a name without a scheme', 'https://a.example', { HTTPS_PROXY: 'proxy.example:3128' }, proxy],
    ['an address without a scheme', 'https://a.example', { HTTPS_PROXY: '10.0.0.1:3128' }, 'http://10.0.0.1:3128'],
    ['none when it cannot be parsed', 'https://a.example', { HTTPS_PROXY: 'a proxy:1' }, ''],
    ['none for localhost', 'https://localhost:6443', { HTTPS_PROXY: proxy }, ''],
    ['none for a loopback address', 'https://127.8.8.8:6443', { HTTPS_PROXY: proxy }, ''],
    ['none for the loopback address of IPv6', 'https://[::1]:6443', { HTTPS_PROXY: proxy }, ''],
  ])('is %s', (_what, address, env, expected) => expect(proxyFor(address, env)).toBe(expected));

  it.each<[string, string, boolean]>([
    ['*', 'https://api.example.com', true],
    ['other.com, example.com', 'https://api.example.com', true],
    ['example.com', 'https://example.com', true],
    ['EXAMPLE.com', 'https://example.com', true],
    ['example.com', 'https://anexample.com', false],
    ['.example.com', 'https://api.example.com', true],
    ['.example.com', 'https://example.com', false],
    ['*.example.com', 'https://api.example.com', true],
    ['*.example.com', 'https://example.com', false],
    ['*example.com', 'https://anexample.com', false],
    ['example.com:6443', 'https://api.example.com:6443', true],
    ['example.com:6443', 'https://api.example.com', false],
    ['example.com:443', 'https://api.example.com', true],
    ['example.com:80', 'http://api.example.com', true],
    ['bücher.example', 'https://api.xn--bcher-kva.example', true],
    ['10.0.0.1', 'https://10.0.0.1:6443', true],
    ['10.0.0.1:6443', 'https://10.0.0.1:6443', true],
    ['10.0.0.1:6443', 'https://10.0.0.1', false],
    ['10.0.0.0/8', 'https://10.255.0.1', true],
    ['10.1.2.3/8', 'https://10.255.0.1', true],
    ['10.0.0.0/8', 'https://11.0.0.1', false],
    ['10.0.0.0/8', 'https://10.example.com', false],
    ['10.0.0.0/33', 'https://10.0.0.1', false],
    ['.0.0.1', 'https://10.0.0.1', false],
    ['fd00::/8', 'https://[fd00::1]:6443', true],
    ['fd00::1', 'https://[fd00::1]:6443', true],
    ['[fd00::1]:6443', 'https://[fd00::1]:6443', true],
    ['[fd00::1]:6443', 'https://[fd00::1]', false],
    ['[fd00::1]', 'https://[fd00::1]', false],
    [' , :80, ', 'https://api.example.com', false],
    ['example.com other.com', 'https://api.example.com', false],
  ])('with NO_PROXY=%s, for %s: a direct connection is %s', (noProxy, address, isDirect) => {
    const env = { HTTPS_PROXY: proxy, HTTP_PROXY: proxy, NO_PROXY: noProxy };
    expect(proxyFor(address, env) === '').toBe(isDirect);
  });
});

it.each<[string, boolean]>([
  ['http://proxy', true],
  ['https://proxy:1', true],
  ['socks5://proxy:1080', true],
  ['ftp://proxy', false],
  ['socks5h://proxy:1080', false],
  ['proxy:3128', false],
  ['http://', false],
])('%s can be used as a proxy: %s', (text, can) => expect(isProxyAddress(text)).toBe(can));

it('the passwords of proxies are secrets, with and without a scheme', () => {
  const env = { HTTPS_PROXY: 'http://me:hunter%402@proxy:1', http_proxy: 'me:swordfish@proxy:1' };
  expect(secretsOfProxies(env)).toEqual(expect.arrayContaining(['hunter@2', 'hunter%402', 'swordfish']));
});

it('a download uses the proxy of the environment, with its password', async () => {
  const { url, received } = await serve((response) => response.end('content'));
  const HTTP_PROXY = url.replace('http://', 'http://me:hunter2@');
  const web = Web.by({ HTTP_PROXY, NO_PROXY: 'spared.example' }, new AbortController().signal);
  expect(await web.text({ url: 'http://files.example/a' })).toBe('content');
  expect(received).toMatchObject([
    {
      path: 'http://files.example/a',
      headers: { 'proxy-authorization': `Basic ${Buffer.from('me:hunter2').toString('base64')}` },
    },
  ]);
});
