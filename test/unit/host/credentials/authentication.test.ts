import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UserAuthentication } from '../../../../src/host/credentials/authentication.ts';
import type { PluginRuntime } from '../../../../src/host/credentials/exec-plugin.ts';
import type { Exec } from '../../../../src/host/kubeconfig/kubeconfig.ts';
import { loginOf, nobody, type Login, type LoginUser } from '../../../../src/host/kubeconfig/login.ts';
import { parseKubeconfig } from '../../../../src/host/kubeconfig/kubeconfig.ts';
import { hasStatus } from '../../../../src/host/api/api-error.ts';
import { RestClient } from '../../../../src/host/api/rest.ts';
import { Transport } from '../../../../src/host/api/transport.ts';
import { rejection } from '../../rejection.ts';
import { configFor, json, quietRuntime, refuse, serve } from '../server.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const get = { method: 'GET', path: '/version' } as const;

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'knest-authentication-'))));
afterEach(() => {
  rmSync(directory, { recursive: true });
  vi.useRealTimers();
});

const exec: Exec = {
  apiVersion: 'client.authentication.k8s.io/v1',
  command: 'sh',
  args: [],
  env: [],
  installHint: '',
  provideClusterInfo: false,
  interactiveMode: 'Never',
};

/** A plugin that answers with `token-1`, `token-2`, … and fails after so many answers. */
function counting(
  expires: string | undefined,
  answers = Number.POSITIVE_INFINITY,
): { user: Partial<LoginUser>; runtime: PluginRuntime } {
  let number = 0;
  const run: PluginRuntime['run'] = async () => {
    number += 1;
    const status = { token: `token-${number}`, expirationTimestamp: expires };
    const stdout = JSON.stringify({ apiVersion: exec.apiVersion, kind: 'ExecCredential', status });
    return Promise.resolve({
      exitCode: number > answers ? 1 : 0,
      stdout: number > answers ? '' : stdout,
      stderr: 'gone',
    });
  };
  return { user: { exec }, runtime: quietRuntime({ run }) };
}

function loginFor(user: Partial<LoginUser>, authorization?: string): Login {
  const { cluster } = configFor('https://host.example.com');
  return { context: 'c', cluster: { ...cluster, authorization }, user: { ...nobody('u'), ...user } };
}

function authenticate(
  user: Partial<LoginUser>,
  runtime: PluginRuntime = quietRuntime(),
  authorization?: string,
): UserAuthentication {
  return new UserAuthentication(loginFor(user, authorization), runtime);
}

async function authorizationOf(authentication: UserAuthentication): Promise<unknown> {
  return (await authentication.credentials()).headers['Authorization'];
}

describe('credentials', () => {
  const basic = `Basic ${base64('u:p')}`;
  it.each<[string, Partial<LoginUser>, string | undefined, string | undefined]>([
    ['nothing', {}, undefined, undefined],
    ['a token', { token: 't', exec }, undefined, 'Bearer t'],
    ['user and password', { username: 'u', password: 'p', exec }, undefined, basic],
    ['user and password in the address', { token: 't' }, basic, basic],
    ['a certificate instead of the plugin', { certificate: 'c', key: 'k', exec }, undefined, undefined],
  ])('are %s', async (_what, user, authorization, expected) => {
    expect(await authorizationOf(authenticate(user, quietRuntime(), authorization))).toBe(expected);
  });

  it('are a token in a file, which is read again after a minute', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const tokenFile = join(directory, 'token');
    writeFileSync(tokenFile, ' first\n');
    const masked: string[] = [];
    const authentication = authenticate({ tokenFile }, quietRuntime({ mask: (secret) => masked.push(secret) }));
    expect(await authorizationOf(authentication)).toBe('Bearer first');
    expect(masked).toEqual([base64('first'), 'first']);
    writeFileSync(tokenFile, 'second');
    expect(await authorizationOf(authentication)).toBe('Bearer first');
    vi.setSystemTime(Date.now() + 60_000);
    expect(await authorizationOf(authentication)).toBe('Bearer second');
    rmSync(tokenFile);
    vi.setSystemTime(Date.now() + 60_000);
    expect(await authorizationOf(authentication)).toBe('Bearer second');
  });

  it('are the last ones in the copy when their file is gone', async () => {
    const tokenFile = join(directory, 'token');
    writeFileSync(tokenFile, 'from-file');
    const authentication = authenticate({ tokenFile });
    await authentication.credentials();
    rmSync(tokenFile);
    const login = loginOf(parseKubeconfig(authentication.copy(), 'copy'), undefined, 'copy', {});
    expect(await authorizationOf(new UserAuthentication(login, quietRuntime()))).toBe('Bearer from-file');
  });

  it.each([
    ['one-secret\ntwo-secret', 'a token has line breaks or other characters that cannot be sent'],
    ['', 'tokenFile of user "u" is empty'],
    [undefined, 'tokenFile of user "u" cannot be read (ENOENT)'],
  ])('in a file must be one line: %j', async (text, problem) => {
    const tokenFile = join(directory, 'token-secret');
    if (text !== undefined) writeFileSync(tokenFile, text);
    const masked: string[] = [];
    const runtime = quietRuntime({ mask: (secret) => masked.push(secret) });
    const thrown = await rejection(authenticate({ tokenFile }, runtime).credentials());
    expect(thrown).toMatchObject({
      code: 'KNEST_HOST_CREDENTIALS',
      problem: `the credentials for https://host.example.com cannot be used: ${problem}`,
    });
    expect(String(thrown)).not.toContain('secret');
    if (text?.includes('\n')) expect(masked).toEqual(expect.arrayContaining(['one-secret', 'two-secret']));
  });

  const idToken = (exp: number): string => `h.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.s`;
  it.each<[string, string, string | undefined, string]>([
    ['an id-token that is valid', 'oidc', idToken(4e9), `Bearer ${idToken(4e9)}`],
    ['refused with an expired id-token', 'oidc', idToken(1e9), 'the id-token of its auth-provider has expired'],
    ['refused with text that is not an id-token', 'oidc', 'secret', 'the id-token of its auth-provider has expired'],
    ['refused without an id-token', 'oidc', undefined, 'its auth-provider has no id-token'],
    ['refused with another auth-provider', 'gcp', undefined, 'kubectl no longer supports the auth-provider gcp'],
  ])('are %s', async (_what, name, token, expected) => {
    const authProvider = { name, config: new Map(token === undefined ? [] : [['id-token', token]]) };
    const credentials = authorizationOf(authenticate({ authProvider }));
    await expect(credentials.catch((thrown: unknown) => (thrown as Error).message)).resolves.toContain(expected);
    await expect(credentials.catch((thrown: unknown) => (thrown as Error).message)).resolves.not.toContain('secret');
  });
});

describe('a plugin', () => {
  async function tokensOf(authentication: UserAuthentication, times: number): Promise<unknown[]> {
    const tokens: unknown[] = [];
    while (tokens.length < times) tokens.push(await authorizationOf(authentication));
    return tokens;
  }

  it('runs once for many requests', async () => {
    const { user, runtime } = counting(undefined);
    const authentication = authenticate(user, runtime);
    const credentials = await Promise.all([authentication.credentials(), authentication.credentials()]);
    expect(new Set(credentials).size).toBe(1);
    expect(await tokensOf(authentication, 2)).toEqual(['Bearer token-1', 'Bearer token-1']);
  });

  it('runs again when its answer has expired or is refused', async () => {
    const { user, runtime } = counting('2020-01-01T00:00:00Z');
    expect(await tokensOf(authenticate(user, runtime), 2)).toEqual(['Bearer token-1', 'Bearer token-2']);

    const lasting = counting(undefined);
    const authentication = authenticate(lasting.user, lasting.runtime);
    const first = await authentication.credentials();
    authentication.forget(first);
    authentication.forget(first);
    expect(await tokensOf(authentication, 2)).toEqual(['Bearer token-2', 'Bearer token-2']);
  });

  it('that fails later is replaced by its last answer while that is valid', async () => {
    for (const [expires, lasts] of [
      ['2999-01-01T00:00:00Z', true],
      ['2020-01-01T00:00:00Z', false],
    ] as const) {
      const { user, runtime } = counting(expires, 1);
      const before = authenticate(user, runtime);
      await before.credentials();
      const login = loginOf(parseKubeconfig(before.copy(), 'copy'), undefined, 'copy', {});
      const after = authorizationOf(new UserAuthentication(login, runtime));
      await (lasts
        ? expect(after).resolves.toBe('Bearer token-1')
        : expect(after).rejects.toMatchObject({ code: 'KNEST_HOST_CREDENTIALS' }));
    }
  });

  it('that fails later is not replaced by an answer that the server refused', async () => {
    const { user, runtime } = counting(undefined, 1);
    const authentication = authenticate(user, runtime);
    authentication.forget(await authentication.credentials());
    await expect(authentication.credentials()).rejects.toMatchObject({ code: 'KNEST_HOST_CREDENTIALS' });
  });
});

describe('requests', () => {
  it('carry new credentials at once after a 401', async () => {
    const { url, received } = await serve((response, number) =>
      number === 0 ? refuse(response, 401) : json(response, { ok: true }),
    );
    const { user, runtime } = counting(undefined);
    const entry = { ...configFor(url), authentication: authenticate(user, runtime) };
    expect(await new RestClient(new Transport(entry), quietRuntime().signal).json(get)).toEqual({ ok: true });
    expect(received.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  it('fail after two refusals', async () => {
    const { url, received } = await serve((response) => refuse(response, 401));
    const thrown = await rejection(new RestClient(new Transport(configFor(url)), quietRuntime().signal).json(get));
    expect(hasStatus(thrown, 401)).toBe(true);
    expect(thrown).toMatchObject({ code: 'KNEST_HOST_CREDENTIALS' });
    expect(received).toHaveLength(2);
  });

  it('carry the impersonated user, with a separate header for each group', async () => {
    const { url, received } = await serve((response) => json(response, {}));
    const impersonate = {
      user: 'Zoë',
      uid: '7',
      groups: ['a', 'b, c'],
      extra: new Map([
        ['acme.com/scope', ['x', 'y']],
        ['one', ['z']],
      ]),
    };
    await new RestClient(new Transport(configFor(url, 't', { impersonate })), quietRuntime().signal).json(get);
    expect(received[0]?.headersDistinct).toMatchObject({
      'impersonate-user': [Buffer.from('Zoë').toString('latin1')],
      'impersonate-uid': ['7'],
      'impersonate-group': ['a', 'b, c'],
      'impersonate-extra-acme.com%2fscope': ['x', 'y'],
      'impersonate-extra-one': ['z'],
      authorization: ['Bearer t'],
    });
  });
});
