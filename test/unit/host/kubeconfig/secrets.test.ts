import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { secretsOfKubeconfig } from '../../../../src/host/kubeconfig/secrets.ts';
import { makeCertificate } from '../../../support/certificate.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'plugin', interactiveMode: 'Never' };

function secretsOf(user: object, cluster: object = {}): readonly string[] {
  return secretsOfKubeconfig(
    stringify({
      clusters: [{ name: 'host', cluster: { server: 'https://host:6443', ...cluster } }],
      users: [
        { name: 'other', user: {} },
        { name: 'ci', user },
      ],
    }),
  );
}

describe('the secrets of a kubeconfig', () => {
  it.each<[string, object, readonly string[]]>([
    ['a token', { token: 'abc.def' }, ['abc.def']],
    ['a token of one character', { token: 'x' }, ['x']],
    ['a password, but not the user name', { username: 'admin', password: 'correct horse' }, ['correct horse']],
    ['an unknown field', { later: { nested: ['secret'] } }, ['secret']],
    [
      'tokens of an auth provider',
      {
        'auth-provider': {
          name: 'oidc',
          config: {
            'id-token': 'id',
            'refresh-token': 'refresh',
            'client-secret': 'secret',
            'access-token': 'access',
            'client-id': 'public',
            'idp-issuer-url': 'https://issuer.example.com',
          },
        },
      },
      ['id', 'refresh', 'secret', 'access'],
    ],
    [
      'variables of a plugin',
      {
        exec: {
          ...exec,
          env: [
            { name: 'VAULT_TOKEN', value: 'hvs.secret' },
            { name: 'PIN', value: '4711' },
            { name: 'AWS_REGION', value: 'eu-west-1' },
            { name: 'DEBUG', value: 'true' },
          ],
        },
      },
      ['hvs.secret', '4711'],
    ],
    [
      'arguments of a plugin whose names say that they are secret',
      {
        exec: {
          ...exec,
          args: ['get-token', '--client-secret', 'two-words', '--oidc-client-secret=one-word', '--cluster', 'prod'],
        },
      },
      ['two-words', 'one-word'],
    ],
    ['a token in place of the path of its file', { tokenFile: 'eyJh.eyJz.c2ln' }, ['eyJh.eyJz.c2ln']],
    [
      'empty without secrets',
      { 'client-certificate': 'tls.crt', 'client-key': 'tls.key', tokenFile: '/run/token' },
      [],
    ],
  ])('are %s', (_what, user, secrets) => {
    expect([...secretsOf(user)].sort()).toEqual(secrets.flatMap((secret) => [secret, base64(secret)]).sort());
  });

  it('include each line of a token with several lines', () => {
    expect(secretsOf({ token: 'one\ntwo' })).toEqual([base64('one\ntwo'), 'one', 'two']);
  });

  it.each(['12345678', '0123', '12345678901234567890123', '1e5', 'true', '~'])(
    'include tokens without quotes, as they are written: %s',
    (token) => {
      expect(secretsOfKubeconfig(`users:\n- name: ci\n  user:\n    token: ${token}\n`)).toContain(token);
    },
  );

  it('include keys: encoded, decoded line by line, and in place of the path of a file', () => {
    const { key } = makeCertificate();
    const [, line = ''] = key.split('\n');
    const found = secretsOf({ 'client-key-data': base64(key) });
    expect(found).toEqual(expect.arrayContaining([base64(key), line]));
    expect(found.filter((form) => form.includes('PRIVATE KEY'))).toEqual([]);
    expect(secretsOf({ 'client-key': key })).toContain(line);
  });

  it('include passwords in addresses', () => {
    const cluster = { server: 'https://ci:hunter2@host:6443', 'proxy-url': 'http://u:p%40ss@proxy:3128' };
    expect(secretsOf({}, cluster)).toEqual(expect.arrayContaining(['hunter2', 'p%40ss', 'p@ss', base64('ci:hunter2')]));
  });

  it.each(['', 'a text', '- a', 'users: [{user: "', 'users: {a: b}', 'users: [1, null, {user: 2}]'])(
    'are empty for %j',
    (text) => expect(secretsOfKubeconfig(text)).toEqual([]),
  );
});
