import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KnestError } from '../../../../src/errors.ts';
import { parseKubeconfig } from '../../../../src/host/kubeconfig/kubeconfig.ts';
import { loginOf, type Login } from '../../../../src/host/kubeconfig/login.ts';
import { makeCertificate, type Certificate } from '../../../support/certificate.ts';

const SECRET = 'AKIA-very-secret';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

let own: Certificate;
let other: Certificate;
let directory: string;
beforeAll(() => {
  own = makeCertificate();
  other = makeCertificate();
  directory = mkdtempSync(join(tmpdir(), 'knest-login-'));
  writeFileSync(join(directory, 'tls.crt'), own.cert);
  writeFileSync(join(directory, 'tls.key'), own.key);
});
afterAll(() => rmSync(directory, { recursive: true }));

function loginWith(cluster: object, user: object, context?: string): Login {
  const text = JSON.stringify({
    'current-context': 'c',
    clusters: [{ name: 'h', cluster: { server: 'https://host:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [
      { name: 'c', context: { cluster: 'h', user: 'u' } },
      { name: 'anonymous', context: { cluster: 'h' } },
      { name: 'no-cluster', context: { cluster: 'gone', user: 'u' } },
      { name: 'no-user', context: { cluster: 'h', user: 'gone' } },
    ],
  });
  return loginOf(parseKubeconfig(text, 'it', directory), context, 'it', {});
}

/** The problems of a login, none of which quotes a secret. */
function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
    return [];
  } catch (thrown) {
    if (!(thrown instanceof KnestError)) throw thrown;
    expect(thrown.code).toBe('KNEST_HOST_CONFIG');
    const all = `${thrown.message}${thrown.stack ?? ''}${String(thrown.cause)}`;
    for (const secret of [SECRET, own.key.split('\n')[1] ?? '']) expect(all).not.toContain(secret);
    return [thrown.problem.replace(/^it is not a usable kubeconfig: /, ''), ...thrown.evidence];
  }
}

describe('a login', () => {
  it('contains the files of its certificates and key', () => {
    const user = { 'client-certificate': 'tls.crt', 'client-key': join(directory, 'tls.key') };
    const login = loginWith({ 'certificate-authority': './tls.crt' }, user);
    expect(login.cluster.certificateAuthority).toBe(own.cert);
    expect(login.user).toMatchObject({ certificate: own.cert, key: own.key });
  });

  it('removes user, password, query and trailing slashes from its server', () => {
    expect(loginWith({ server: 'https://u:p@host/k8s/?a=b#c' }, {}).cluster).toMatchObject({
      server: 'https://host/k8s',
      authorization: `Basic ${base64('u:p')}`,
    });
  });

  it('sends no credentials over plain HTTP, since kubectl proxy needs none', () => {
    const { user } = loginWith({ server: 'http://127.0.0.1:8001' }, { token: SECRET, as: 'somebody' });
    expect(user).toMatchObject({ token: '', name: 'u', impersonate: { user: 'somebody' } });
  });

  it('is anonymous when the context has no user', () => {
    expect(loginWith({}, { token: SECRET }, 'anonymous').user).toMatchObject({ name: 'anonymous', token: '' });
  });

  it('requires the cluster and the user of its context', () => {
    expect(problemsOf(() => loginWith({}, {}, 'no-cluster'))).toEqual([
      'it has no cluster "gone", which its context "no-cluster" names',
    ]);
    expect(problemsOf(() => loginWith({}, {}, 'no-user'))).toEqual([
      'it has no user "gone", which its context "no-user" names',
    ]);
  });

  it.each<[string, string, object]>([
    ['', 'it has no server', { server: '' }],
    ['', 'its server does not begin with https://', { server: 'host:6443' }],
    ['', 'its server does not begin with https://', { server: `ftp://u:${SECRET}@host` }],
    ['', 'certificate-authority names a file that cannot be read (ENOENT)', { 'certificate-authority': SECRET }],
    ['', 'certificate-authority does not contain a valid certificate', { 'certificate-authority': 'tls.key' }],
    [
      '',
      'certificate-authority-data is left out: print it with --raw',
      { 'certificate-authority-data': 'DATA+OMITTED' },
    ],
    [
      '',
      'insecure-skip-tls-verify and certificate-authority are mutually exclusive',
      { 'certificate-authority': 'tls.crt', 'insecure-skip-tls-verify': true },
    ],
  ])('is refused with an unusable cluster%s: %s', (_, problem, cluster) => {
    expect(problemsOf(() => loginWith(cluster, {}))[0]).toBe(`cluster "h": ${problem}`);
  });

  it('is refused with an unusable user, and the error says why', () => {
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'x', interactiveMode: 'Never' };
    const pair = { 'client-certificate': 'tls.crt', 'client-key': 'tls.key' };
    const cases: [string, object][] = [
      ['client-certificate needs client-key', { 'client-certificate': 'tls.crt' }],
      ['client-key names a file that cannot be read (ENOENT)', { ...pair, 'client-key': own.key.slice(0, 200) }],
      ['client-key names a file that cannot be read (ENAMETOOLONG)', { ...pair, 'client-key': own.key.repeat(20) }],
      ['client-key names a file that cannot be read (EISDIR)', { ...pair, 'client-key': directory }],
      ['client-key does not contain a private key without a passphrase', { ...pair, 'client-key': 'tls.crt' }],
      [
        'client-key does not belong to client-certificate',
        { ...pair, 'client-key': '', 'client-key-data': base64(other.key) },
      ],
      [
        'client-certificate and client-certificate-data are mutually exclusive',
        { ...pair, 'client-certificate-data': base64(own.cert) },
      ],
      ['client-key and client-key-data are mutually exclusive', { ...pair, 'client-key-data': base64(own.key) }],
      [
        'client-key-data is left out: print it with --raw',
        { 'client-certificate': 'tls.crt', 'client-key-data': 'REDACTED' },
      ],
      ['token and username are mutually exclusive', { token: SECRET, username: 'u', password: 'p' }],
      ['its secrets are left out: print it with --raw', { token: 'REDACTED' }],
      ['as-uid, as-groups and as-user-extra need as', { token: 't', 'as-groups': ['g'] }],
      ['exec and auth-provider are mutually exclusive', { exec, 'auth-provider': { name: 'oidc' } }],
      ['exec has no command', { exec: { ...exec, command: '' } }],
      [
        'exec.apiVersion is not one of client.authentication.k8s.io/v1, client.authentication.k8s.io/v1beta1',
        { exec: { ...exec, apiVersion: 'client.authentication.k8s.io/v1alpha1', interactiveMode: 'Never' } },
      ],
      ['exec.interactiveMode is not one of Never, IfAvailable, Always', { exec: { ...exec, interactiveMode: '' } }],
      ['exec.interactiveMode is Always, but a job has no terminal', { exec: { ...exec, interactiveMode: 'Always' } }],
      ['exec.env has a variable without a name', { exec: { ...exec, env: [{ name: '', value: SECRET }] } }],
    ];
    for (const [problem, user] of cases) {
      expect(problemsOf(() => loginWith({}, user))[0], problem).toBe(`user "u": ${problem}`);
    }
    expect(
      problemsOf(() =>
        loginWith({}, { exec: { ...exec, apiVersion: 'client.authentication.k8s.io/v1beta1', interactiveMode: '' } }),
      ),
    ).toEqual([]);
  });
});
