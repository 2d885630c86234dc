import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UserAuthentication } from '../../../../src/host/credentials/authentication.ts';
import { IdTokens } from '../../../../src/host/credentials/id-tokens.ts';
import { nobody, type LoginUser } from '../../../../src/host/kubeconfig/login.ts';
import type { Exec } from '../../../../src/host/kubeconfig/kubeconfig.ts';
import { makeCertificate } from '../../../support/certificate.ts';
import { rejection } from '../../rejection.ts';
import { configFor, quietRuntime } from '../server.ts';

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'knest-life-'))));
afterEach(() => {
  rmSync(directory, { recursive: true });
  vi.useRealTimers();
});

const exec: Exec = {
  apiVersion: 'client.authentication.k8s.io/v1',
  command: 'plugin',
  args: [],
  env: [],
  installHint: '',
  provideClusterInfo: false,
  interactiveMode: 'Never',
};

/** The credentials of a user, whose plugin gives these answers in turn; where there is none left, it fails. */
function authenticate(user: Partial<LoginUser>, ...answers: readonly object[]): UserAuthentication {
  const left = [...answers];
  const run = async () => {
    const status = left.shift();
    const stdout = JSON.stringify({ apiVersion: exec.apiVersion, kind: 'ExecCredential', status });
    return Promise.resolve({ exitCode: status === undefined ? 1 : 0, stdout, stderr: '' });
  };
  const { cluster } = configFor('https://host.example.com');
  const login = { context: 'c', cluster, user: { ...nobody('u'), ...user } };
  return new UserAuthentication(login, quietRuntime({ run }));
}

const authorizationOf = async (authentication: UserAuthentication): Promise<unknown> =>
  (await authentication.credentials()).headers['Authorization'];

describe('the answer of a plugin', () => {
  it('is used until its expiry, and not a moment longer', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-24T12:00:00Z') });
    const expirationTimestamp = '2026-11-24T12:10:00Z';
    const authentication = authenticate({ exec }, { token: 'one', expirationTimestamp }, { token: 'two' });
    expect(await authorizationOf(authentication)).toBe('Bearer one');
    vi.setSystemTime('2026-11-24T12:09:59.999Z');
    expect(await authorizationOf(authentication)).toBe('Bearer one');
    vi.setSystemTime('2026-11-24T12:10:00Z');
    expect(await authorizationOf(authentication)).toBe('Bearer two');
  });

  it('without an expiry is used until the server refuses it, whatever the expiry of the one before', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-24T12:00:00Z') });
    const expirationTimestamp = '2026-11-24T12:10:00Z';
    const authentication = authenticate({ exec }, { token: 'one', expirationTimestamp }, { token: 'two' });
    await authentication.credentials();
    vi.setSystemTime('2026-11-24T12:10:00Z');
    const second = await authentication.credentials();
    vi.setSystemTime('2036-11-24T12:10:00Z');
    expect(await authentication.credentials()).toBe(second);
  });

  it('is not dropped when a request with an older answer is refused later', async () => {
    const authentication = authenticate({ exec }, { token: 'one' }, { token: 'two' }, { token: 'three' });
    const first = await authentication.credentials();
    authentication.forget(first);
    expect(await authorizationOf(authentication)).toBe('Bearer two');
    authentication.forget(first);
    expect(await authorizationOf(authentication)).toBe('Bearer two');
  });

  it('may be a certificate, which goes without a header', async () => {
    const { cert, key } = makeCertificate();
    const authentication = authenticate({ exec }, { clientCertificateData: cert, clientKeyData: key });
    expect(await authentication.credentials()).toEqual({ headers: {}, certificate: cert, key });
  });

  it('is requested again after a failure', async () => {
    const authentication = authenticate({ exec }, {}, { token: 'two' });
    expect(await rejection(authentication.credentials())).toMatchObject({ code: 'KNEST_HOST_CREDENTIALS' });
    expect(await authorizationOf(authentication)).toBe('Bearer two');
  });
});

describe('credentials', () => {
  it('need only a user or only a password', async () => {
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    expect(await authorizationOf(authenticate({ username: 'u' }))).toBe(basic('u:'));
    expect(await authorizationOf(authenticate({ password: 'p' }))).toBe(basic(':p'));
  });

  it('send a token with a tab and other letters as its bytes', async () => {
    expect(await authorizationOf(authenticate({ token: 'a\tö' }))).toBe('Bearer a\tÃ¶');
    expect(await rejection(authorizationOf(authenticate({ token: 'a\u0000b' })))).toMatchObject({
      code: 'KNEST_HOST_CREDENTIALS',
    });
  });

  it('impersonate nobody but the named user, with nothing that is not given', async () => {
    const { impersonate } = nobody('u');
    expect((await authenticate({ impersonate: { ...impersonate, groups: ['g'] } }).credentials()).headers).toEqual({});
    expect((await authenticate({ impersonate: { ...impersonate, user: 'dev' } }).credentials()).headers).toEqual({
      'Impersonate-User': 'dev',
    });
  });

  it('with an id-token are used until ten seconds before its end', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
    const tokenUntil = (exp: unknown): string => `h.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.s`;
    const authorization = (exp: unknown) =>
      authorizationOf(
        authenticate({ authProvider: { name: 'oidc', config: new Map([['id-token', tokenUntil(exp)]]) } }),
      );
    expect(await authorization(1_011)).toBe(`Bearer ${tokenUntil(1_011)}`);
    for (const exp of [1_010, '4000000000']) {
      expect(await rejection(authorization(exp))).toMatchObject({ code: 'KNEST_HOST_CREDENTIALS' });
    }
  });

  it('are the last token of a file that is being replaced, and is empty for a moment', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const tokenFile = join(directory, 'token');
    writeFileSync(tokenFile, 'first');
    const authentication = authenticate({ tokenFile });
    await authentication.credentials();
    writeFileSync(tokenFile, '');
    vi.setSystemTime(Date.now() + 60_000);
    expect(await authorizationOf(authentication)).toBe('Bearer first');
  });

  it('that the server refuses come with advice', () => {
    expect(authenticate({ token: 't' }).refused().next).toContain('fresh ones');
  });
});

describe('an OIDC token', () => {
  it('is requested again after all attempts failed', async () => {
    vi.useFakeTimers();
    const mint = vi.fn<(audience: string) => Promise<string>>().mockRejectedValue(new Error('down'));
    const tokens = new IdTokens('a', mint);
    const failed = rejection(tokens.token());
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await failed).toMatchObject({ code: 'KNEST_HOST_CREDENTIALS' });
    mint.mockResolvedValue('x');
    expect(await tokens.token()).toBe('x');
  });

  it('is taken to live for five minutes before the first one is there', () => {
    expect(new IdTokens('a', async () => Promise.resolve('x')).lifeMilliseconds).toBe(300_000);
  });
});
