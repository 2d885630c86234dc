import { beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { checkEndpoint, parseNested } from '../../../../src/cluster/access/nested-kubeconfig.ts';
import { makeCertificate } from '../../../support/certificate.ts';

const SECRET = 'AKIA-very-secret';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

let cert = '';
let key = '';
beforeAll(() => {
  ({ cert, key } = makeCertificate());
});

/** The kubeconfig that Cluster API writes, with extra fields where given. */
function written({ cluster = {}, user = {}, context = {}, root = {} }: Partial<Record<string, object>> = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    preferences: {},
    clusters: [
      {
        name: 'pr',
        cluster: { server: 'https://10.1.2.3:6443', 'certificate-authority-data': base64(cert), ...cluster },
      },
    ],
    users: [
      {
        name: 'pr-admin',
        user: { 'client-certificate-data': base64(cert), 'client-key-data': base64(key), ...user },
      },
    ],
    contexts: [{ name: 'pr-admin@pr', context: { cluster: 'pr', user: 'pr-admin', ...context } }],
    'current-context': 'pr-admin@pr',
    ...root,
  };
}

function problemsOf(kubeconfig: object): readonly string[] {
  return parseNested(stringify(kubeconfig)).problems;
}

describe('a nested kubeconfig', () => {
  it('is accepted as Cluster API writes it', () => {
    expect(parseNested(stringify(written()))).toEqual({
      kubeconfig: {
        server: 'https://10.1.2.3:6443',
        tlsServerName: undefined,
        certificateAuthority: cert,
        clientCertificate: cert,
        clientKey: key,
        token: undefined,
      },
      problems: [],
    });
  });

  it('may have a token and a tls-server-name', () => {
    const text = stringify(written({ cluster: { 'tls-server-name': 'api.example.com' }, user: { token: 'abc' } }));
    expect(parseNested(text)).toMatchObject({
      kubeconfig: { tlsServerName: 'api.example.com', token: 'abc' },
      problems: [],
    });
  });

  it('keeps only the certificates and the key, without surrounding text', () => {
    const noisy = (text: string): string => base64(`# ${SECRET}\n${text}\n# ${SECRET}\n`);
    const { kubeconfig, problems } = parseNested(
      stringify(
        written({
          cluster: { 'certificate-authority-data': noisy(cert) },
          user: { 'client-certificate-data': noisy(cert), 'client-key-data': noisy(key) },
        }),
      ),
    );
    expect(problems).toEqual([]);
    expect(JSON.stringify(kubeconfig)).not.toContain(SECRET);
  });

  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', interactiveMode: 'Never' };
  it.each<[string, object]>([
    ['clusters[0].cluster.insecure-skip-tls-verify', { cluster: { 'insecure-skip-tls-verify': true } }],
    ['clusters[0].cluster.proxy-url', { cluster: { 'proxy-url': `http://${SECRET}:1` } }],
    ['clusters[0].cluster.certificate-authority', { cluster: { 'certificate-authority': `/${SECRET}` } }],
    ['clusters[0].cluster.extensions', { cluster: { extensions: [{ name: SECRET, extension: {} }] } }],
    ['users[0].user.exec', { user: { exec } }],
    ['users[0].user.auth-provider', { user: { 'auth-provider': { name: 'oidc', config: { 'id-token': SECRET } } } }],
    ['users[0].user.tokenFile', { user: { tokenFile: `/${SECRET}` } }],
    ['users[0].user.token-file', { user: { 'token-file': `/${SECRET}` } }],
    ['users[0].user.client-certificate', { user: { 'client-certificate': `/${SECRET}` } }],
    ['users[0].user.client-key', { user: { 'client-key': `/${SECRET}` } }],
    ['users[0].user.username', { user: { username: SECRET } }],
    ['users[0].user.password', { user: { password: SECRET } }],
    ['users[0].user.as', { user: { as: SECRET } }],
    ['users[0].user.as-groups', { user: { 'as-groups': [SECRET] } }],
    ['users[0].user.as-user-extra', { user: { 'as-user-extra': { scope: [SECRET] } } }],
    ['users[0].user.later', { user: { later: SECRET } }],
    ['users[0].user.(a field with an unusual name)', { user: { [`${SECRET}\n::error::x`]: SECRET } }],
    ['users[0].exec', { root: { users: [{ name: 'pr-admin', user: { token: 'abc' }, exec }] } }],
    ['contexts[0].context.namespace', { context: { namespace: SECRET } }],
    ['extensions', { root: { extensions: [{ name: SECRET }] } }],
  ])('is refused for any other field, by its name: %s', (field, parts) => {
    const problems = problemsOf(written(parts));
    expect(problems).toEqual([`${field} is not allowed`]);
  });

  it.each<[string, object]>([
    ['certificate-authority-data', { cluster: { 'certificate-authority-data': base64(SECRET) } }],
    ['tls-server-name', { cluster: { 'tls-server-name': `a b ${SECRET}` } }],
    ['client-certificate-data', { user: { 'client-certificate-data': base64(SECRET) } }],
    ['client-key-data', { user: { 'client-key-data': base64(SECRET) } }],
    ['token', { user: { token: `${SECRET}\nX-Other: 1` } }],
    ['token', { user: { token: 12_345_678 } }],
    ['server', { cluster: { server: [SECRET] } }],
  ])('is refused when %s is not valid', (field, parts) => {
    const problems = problemsOf(written(parts));
    expect(problems).toEqual([expect.stringMatching(new RegExp(`\\.${field} is not valid$`))]);
  });

  it('is refused without any credentials', () => {
    const user = { 'client-certificate-data': '', 'client-key-data': '' };
    expect(problemsOf(written({ user }))).toEqual(['its user has neither a certificate with its key nor a token']);
  });

  it.each(['clusters', 'users', 'contexts'] as const)('is refused unless it has exactly one entry in %s', (list) => {
    const [first] = (written() as Record<string, unknown[]>)[list] ?? [];
    for (const entries of [[], undefined, 'x', [first, first]]) {
      expect(problemsOf(written({ root: { [list]: entries } }))).toContain(
        `it does not have exactly one entry in ${list}`,
      );
    }
  });

  it('is refused when its context names another cluster or user', () => {
    const problem = 'its current context is not that of its cluster and user';
    expect(problemsOf(written({ root: { 'current-context': 'other' } }))).toEqual([problem]);
    expect(problemsOf(written({ context: { user: 'other' } }))).toEqual([problem]);
  });

  it.each([
    ['', 'it is not a kubeconfig'],
    ['just a text', 'it is not a kubeconfig'],
    ['- a', 'it is not a kubeconfig'],
    [`users:\n- {token: "${SECRET}`, expect.stringMatching(/^it is not valid YAML in line 2 \(\w+\)$/)],
    [`token: !${SECRET} ${SECRET}\n: ${SECRET}: [`, expect.stringMatching(/^it is not valid YAML in line 2 \(\w+\)$/)],
    [`a: *${SECRET}`, expect.stringMatching(/^it is not valid YAML/)],
  ])('is not %j, and the error does not quote it', (text, problem) => {
    const { problems } = parseNested(text);
    expect(problems[0]).toEqual(problem);
    expect(problems.join()).not.toContain(SECRET);
  });
});

describe('the server', () => {
  const endpoint = { host: '10.1.2.3', port: 6443 };

  it.each([
    ['https://10.1.2.3:6443', endpoint],
    ['https://10.1.2.3:6443/', endpoint],
    ['https://api.example.com', { host: 'api.example.com', port: 443 }],
    ['https://API.example.com:443', { host: 'api.EXAMPLE.com', port: 443 }],
    ['https://[2001:db8::1]:6443', { host: '2001:db8::1', port: 6443 }],
    ['https://[2001:db8:0::1]:6443', { host: '[2001:db8::1]', port: 6443 }],
  ])('matches the endpoint of the Cluster: %s', (server, at) => {
    expect(checkEndpoint(server, at)).toEqual([]);
  });

  it.each([
    'http://10.1.2.3:6443',
    'https://10.1.2.3:6444',
    'https://10.1.2.3',
    'https://10.1.2.4:6443',
    'https://10.1.2.3:6443/proxy',
    'https://10.1.2.3:6443?x=y',
    'https://10.1.2.3:6443#x',
    'https://u:p@10.1.2.3:6443',
    'https://10.1.2.3:6443@198.51.100.7:6443',
    'https://10.1.2.3.example.com:6443',
    '10.1.2.3:6443',
    '',
  ])('is refused when it is %j', (server) => {
    expect(checkEndpoint(server, endpoint)).toEqual([
      "its server is not the Cluster's controlPlaneEndpoint, https://10.1.2.3:6443",
    ]);
  });

  it.each([undefined, {}, { host: '', port: 0 }, { host: '10.1.2.3' }])('is refused without an endpoint: %o', (at) => {
    expect(checkEndpoint('https://10.1.2.3:6443', at)).toEqual([
      'the Cluster has no controlPlaneEndpoint to compare its server with',
    ]);
  });
});
