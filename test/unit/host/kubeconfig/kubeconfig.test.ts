import { describe, expect, it } from 'vitest';
import { KnestError } from '../../../../src/errors.ts';
import { merged, parseKubeconfig } from '../../../../src/host/kubeconfig/kubeconfig.ts';

const SECRET = 'AKIA-very-secret';

/** The problems of a text, none of which quotes it. */
function problemsOf(text: string): readonly string[] {
  try {
    parseKubeconfig(text, 'it');
    return [];
  } catch (thrown) {
    if (!(thrown instanceof KnestError)) throw thrown;
    expect(thrown).toMatchObject({ code: 'KNEST_HOST_CONFIG' });
    expect(`${thrown.message}${thrown.stack ?? ''}${String(thrown.cause)}`).not.toContain(SECRET);
    return [thrown.problem.replace(/^it is not a usable kubeconfig: /, ''), ...thrown.evidence];
  }
}

describe('a kubeconfig', () => {
  it('may have unknown fields', () => {
    const text = `
      later: {x: [1]}
      current-context: c
      clusters: [{name: h, cluster: {server: 'https://host', later: 1}}]
      users: [{name: u, user: {token: t, as: other, as-groups: [a, b], as-user-extra: {scope: [x]}}}]
      contexts: [{name: c, context: {cluster: h, user: u, namespace: dev}}]`;
    const { clusters, users, contexts, currentContext } = parseKubeconfig(text, 'it');
    expect(currentContext).toBe('c');
    expect(clusters.get('h')).toMatchObject({ server: 'https://host', insecureSkipTlsVerify: false, proxyUrl: '' });
    expect(users.get('u')).toMatchObject({
      token: 't',
      impersonate: { user: 'other', uid: '', groups: ['a', 'b'], extra: new Map([['scope', ['x']]]) },
      exec: undefined,
      authProvider: undefined,
    });
    expect(contexts.get('c')).toEqual({ name: 'c', cluster: 'h', user: 'u', namespace: 'dev' });
  });

  it.each(['', '# nothing', '{}', 'null', 'clusters:\nusers: ~\ncontexts: []'])('may be empty: %j', (text) => {
    expect(parseKubeconfig(text, 'it')).toEqual({
      clusters: new Map(),
      users: new Map(),
      contexts: new Map(),
      currentContext: '',
    });
  });

  it('has relative paths that start at its directory, except commands from PATH', () => {
    const user = { 'client-key': 'k', tokenFile: '../t', 'client-certificate': '/c' };
    const text = JSON.stringify({
      clusters: [{ name: 'h', cluster: { 'certificate-authority': '~/ca' } }],
      users: [
        { name: 'u', user: { ...user, exec: { command: './bin/plugin' } } },
        { name: 'path', user: { exec: { command: 'plugin' } } },
      ],
    });
    const { clusters, users } = parseKubeconfig(text, 'it', '/etc/kube');
    expect(clusters.get('h')?.certificateAuthority).toBe('/etc/kube/~/ca');
    expect(users.get('u')).toMatchObject({ clientKey: '/etc/kube/k', tokenFile: '/etc/t', clientCertificate: '/c' });
    expect(users.get('u')?.exec?.command).toBe('/etc/kube/bin/plugin');
    expect(users.get('path')?.exec?.command).toBe('plugin');
    expect(parseKubeconfig(text, 'it').users.get('u')?.clientKey).toBe('k');
  });

  it.each<[string, string]>([
    ['plain text', SECRET],
    ['a list', `- ${SECRET}`],
  ])('is not %s', (_what, text) => expect(problemsOf(text)).toEqual(['it is not a map of fields']));

  it.each([`users:\n- {token: "${SECRET}`, `-----BEGIN KEY-----\n${SECRET}: [\n-----END KEY-----`, `a: *${SECRET}`])(
    'is refused when it is broken YAML: %j',
    (text) => expect(problemsOf(text)).toEqual([expect.stringMatching(/^it is not valid YAML/)]),
  );

  it.each<[string, string]>([
    ['token: 12345', 'users[0].user.token is not text: put it in quotes'],
    ['token: 0x1F', 'users[0].user.token is not text: put it in quotes'],
    ['token: yes', 'users[0].user.token is not text: put it in quotes'],
    [`token: [${SECRET}]`, 'users[0].user.token is not text: put it in quotes'],
    [`client-key-data: "${SECRET}"`, 'users[0].user.client-key-data is not base64'],
    ['as-groups: x', 'users[0].user.as-groups is not a list'],
    ['as-groups: [1]', 'users[0].user.as-groups.0 is not text: put it in quotes'],
    ['exec: x', 'users[0].user.exec is not a map of fields'],
    ['exec: {provideClusterInfo: 1}', 'users[0].user.exec.provideClusterInfo is not true or false'],
    [`exec: {env: [{name: A, value: 7}]}`, 'users[0].user.exec.env[0].value is not text: put it in quotes'],
    [
      'auth-provider: {config: {id-token: 7}}',
      'users[0].user.auth-provider.config.id-token is not text: put it in quotes',
    ],
  ])('is refused when a value has the wrong type: %s', (field, problem) => {
    expect(problemsOf(`users: [{name: u, user: {${field}}}]`)).toEqual([problem]);
  });

  it('reads ambiguous values as strings, as Go does', () => {
    const names = ['2020-01-01', '12:30', '1.2.3', 'on-call', 'Nope', '0xzz', '"12"', '!!str 13'];
    const { users } = parseKubeconfig(`users:\n${names.map((name) => `- name: ${name}\n`).join('')}`, 'it');
    expect([...users.keys()]).toEqual([...names.slice(0, 6), '12', '13']);
  });

  it('is refused with duplicate names, or another kind or version', () => {
    expect(problemsOf('users: [{name: u}, {name: u}]')).toEqual(['users has two entries of the same name']);
    expect(problemsOf('kind: Pod')).toEqual(['kind is not Config']);
    expect(problemsOf('apiVersion: v2')).toEqual(['apiVersion is not v1']);
  });
});

describe('several kubeconfigs', () => {
  const parse = (text: string) => parseKubeconfig(text, 'it');

  it('are merged: the first entry with a name and the first current context count', () => {
    const { users, currentContext } = merged([
      parse('{}'),
      parse('users: [{name: a, user: {token: first}}]'),
      parse('current-context: second\nusers: [{name: a, user: {token: second}}, {name: b, user: {token: b}}]'),
      parse('current-context: third'),
    ]);
    expect(currentContext).toBe('second');
    expect([...users].map(([name, { token }]) => [name, token]).sort()).toEqual([
      ['a', 'first'],
      ['b', 'b'],
    ]);
  });
});
