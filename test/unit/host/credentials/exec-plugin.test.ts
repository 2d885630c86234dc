import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KnestError } from '../../../../src/errors.ts';
import { runPlugin, type Answer } from '../../../../src/host/credentials/exec-plugin.ts';
import type { Exec } from '../../../../src/host/kubeconfig/kubeconfig.ts';
import type { LoginCluster } from '../../../../src/host/kubeconfig/login.ts';
import { Redactor } from '../../../../src/report/redactor.ts';
import { makeCertificate } from '../../../support/certificate.ts';
import { rejection } from '../../rejection.ts';
import { configFor, quietRuntime } from '../server.ts';

const V1 = 'client.authentication.k8s.io/v1';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'knest-plugin-'))));
afterEach(() => rmSync(directory, { recursive: true }));

function execOf(script: string, more: Partial<Exec> = {}): Exec {
  const exec = { apiVersion: V1, command: 'sh', args: ['-c', script], env: [], installHint: '' };
  return { ...exec, provideClusterInfo: false, interactiveMode: 'Never', ...more };
}

/** Runs a plugin. Returns its answer or its failure, and the masked secrets. */
async function run(
  exec: Exec,
  env: NodeJS.ProcessEnv = process.env,
  cluster: Partial<LoginCluster> = {},
): Promise<{ answer: Answer | undefined; failure: string; masks: string[] }> {
  const masks: string[] = [];
  const redactor = new Redactor((secret) => masks.push(secret));
  const runtime = quietRuntime({
    env,
    mask: (secret) => redactor.mask(secret),
    redact: (text) => redactor.redact(text),
  });
  const work = runPlugin(exec, { ...configFor('https://host.example.com').cluster, ...cluster }, runtime);
  const answer = await work.catch(() => undefined);
  if (answer !== undefined) return { answer, failure: '', masks };
  const thrown = await rejection(work);
  expect(thrown).toBeInstanceOf(KnestError);
  expect(thrown).toMatchObject({ code: 'KNEST_HOST_CREDENTIALS' });
  return { answer, failure: `${String(thrown)}${String((thrown as Error).cause)}`, masks };
}

function print(credential: unknown): string {
  const file = join(directory, 'answer');
  writeFileSync(file, typeof credential === 'string' ? credential : JSON.stringify(credential));
  return `cat '${file}'`;
}

const credential = (status: object, more: object = {}): object => ({
  apiVersion: V1,
  kind: 'ExecCredential',
  status,
  ...more,
});

describe('a plugin', () => {
  it('answers with a token, or with a certificate and its key, which are masked', async () => {
    const { cert, key } = makeCertificate();
    const status = {
      token: 'plugin-token',
      clientCertificateData: cert,
      clientKeyData: key,
      expirationTimestamp: '2999-01-01T00:00:00Z',
    };
    const { answer, masks } = await run(execOf(print(credential(status))));
    expect(answer).toEqual({ token: 'plugin-token', certificate: cert, key, expires: '2999-01-01T00:00:00Z' });
    expect(masks).toEqual(expect.arrayContaining(['plugin-token', key.split('\n')[1]]));
    expect(masks.join()).not.toContain(cert.split('\n')[1]);
  });

  it('gets its variables and KUBERNETES_EXEC_INFO, but no input of the action and no standard input', async () => {
    const dump = join(directory, 'env');
    const script = `cat; env > '${dump}'; ${print(credential({ token: 't' }))}`;
    const env = { PATH: process.env['PATH'], 'INPUT_HOST-KUBECONFIG': 'input', input_lower: 'input', JOB: 'job' };
    await run(execOf(script, { env: [{ name: 'OWN', value: 'own' }] }), env);
    const seen = readFileSync(dump, 'utf8');
    expect(seen).toContain('OWN=own\n');
    expect(seen).toContain('JOB=job\n');
    expect(seen).not.toContain('input');
    expect(/^KUBERNETES_EXEC_INFO=(.*)$/m.exec(seen)?.[1]).toBe(
      JSON.stringify({ kind: 'ExecCredential', apiVersion: V1, spec: { interactive: false } }),
    );
  });

  it('gets the cluster when it asks for it', async () => {
    const script = `printf '%s' "$KUBERNETES_EXEC_INFO" > '${join(directory, 'info')}'; ${print(credential({ token: 't' }))}`;
    const { cert } = makeCertificate();
    const cluster = { certificateAuthority: cert, tlsServerName: 'api', execConfig: { audience: 'a' } };
    const info = (): unknown => JSON.parse(readFileSync(join(directory, 'info'), 'utf8'));
    await run(execOf(script, { provideClusterInfo: true }), process.env, cluster);
    expect(info()).toEqual({
      kind: 'ExecCredential',
      apiVersion: V1,
      spec: {
        interactive: false,
        cluster: {
          server: 'https://host.example.com',
          'tls-server-name': 'api',
          'certificate-authority-data': base64(cert),
          config: { audience: 'a' },
        },
      },
    });
    const proxied = { insecureSkipTlsVerify: true, ownProxyUrl: 'http://proxy:3128', disableCompression: true };
    await run(execOf(script, { provideClusterInfo: true }), process.env, proxied);
    expect(info()).toMatchObject({
      spec: {
        cluster: {
          server: 'https://host.example.com',
          'insecure-skip-tls-verify': true,
          'proxy-url': 'http://proxy:3128',
          'disable-compression': true,
          config: null,
        },
      },
    });
  });

  it.each<[string, string, object | string]>([
    ['nothing', 'did not return an ExecCredential', ''],
    ['a bare token', 'did not return an ExecCredential', 'secret-in-output'],
    ['broken JSON', 'did not return an ExecCredential', '{"status":{"token":"secret-in-output"'],
    ['another kind', 'did not return an ExecCredential', { kind: 'Pod', status: { token: 'secret-in-output' } }],
    ['no status', 'has no status', credential('secret-in-output' as unknown as object)],
    [
      'another version',
      `did not return an ExecCredential of version ${V1}`,
      credential({ token: 'secret-in-output' }, { apiVersion: 'v2' }),
    ],
    ['neither token nor key', 'returned neither a token nor a certificate', credential({ other: 'secret-in-output' })],
    ['only a key', 'returned only one of certificate and key', credential({ clientKeyData: 'secret-in-output' })],
    [
      'a broken key',
      'a key that does not match its certificate',
      credential({ clientKeyData: 'secret-in-output', clientCertificateData: 'x' }),
    ],
    ['a number as its token', 'fields that are not strings', credential({ token: 12_345_678 })],
    [
      'an unreadable time',
      'an unreadable expirationTimestamp',
      credential({ token: 'secret-in-output', expirationTimestamp: 'soon' }),
    ],
  ])('that answers with %s fails, and the error does not quote it', async (_what, problem, output) => {
    const { failure } = await run(execOf(print(output)));
    expect(failure).toContain(problem);
    expect(failure).not.toContain('secret-in-output');
    expect(failure).not.toContain('12345678');
  });

  it('that fails is reported with the last line of its errors', async () => {
    const { failure } = await run(
      execOf('echo "first" >&2; echo "aws: the session has expired" >&2; echo >&2; exit 3'),
    );
    expect(failure).toContain('the credential plugin sh failed with exit code 3: aws: the session has expired');
    expect(failure).not.toContain('first');
  });

  it.each([
    [
      'a token from its answer',
      `echo '{"kind":"ExecCredential","status":{"token":"tok5"}}'; echo "refused tok5" >&2`,
      'tok5',
    ],
    ['its standard output', 'echo raw-secret; echo "cannot use raw-secret" >&2', 'raw-secret'],
    ['long random text', 'echo "bad 0a9b8c7d6e5f0a9b8c7d6e5f" >&2', '0a9b8c7d6e5f'],
    ['a value that is named as a secret', 'echo "client_secret=hunter2x" >&2', 'hunter2x'],
    ['a password in an address', 'echo "https://ci:hunter2@host refused" >&2', 'hunter2'],
    ['a key', 'printf "%s\\n" "-----BEGIN PRIVATE KEY-----" MIGHAgEAMBMGByqGSM49 >&2', 'MIGHAgEAMBMGByqGSM49'],
  ])('that fails does not reveal %s', async (_what, script, secret) => {
    const { failure } = await run(execOf(`${script}; exit 1`));
    expect(failure).toContain('failed with exit code 1');
    expect(failure).not.toContain(secret);
  });

  it('that fails does not reveal the value of one of its variables, which is masked before it runs', async () => {
    const redactor = new Redactor(() => undefined);
    redactor.mask('4711');
    const runtime = quietRuntime({ mask: (text) => redactor.mask(text), redact: (text) => redactor.redact(text) });
    const exec = execOf('echo "bad $PIN" >&2; exit 1', { env: [{ name: 'PIN', value: '4711' }] });
    const thrown = await rejection(runPlugin(exec, configFor('https://h').cluster, runtime));
    expect(String(thrown)).toContain('failed with exit code 1: bad ***');
    expect(String(thrown)).not.toContain('4711');
  });

  it('that does not exist is reported with its install hint, but not with its arguments', async () => {
    const more = { command: join(directory, 'no-such-plugin'), installHint: '\nInstall it with brew\nmore' };
    const { failure } = await run(execOf('secret-argument', more));
    expect(failure).toContain('the credential plugin no-such-plugin cannot be started');
    expect(failure).toContain('Next: Install it with brew');
    expect(failure).not.toContain('secret-argument');
  });

  it('ends when the command ends', async () => {
    const stop = AbortSignal.abort(new KnestError({ code: 'KNEST_TIMEOUT', problem: 'the time is up' }));
    const runtime = quietRuntime({ run: async () => Promise.reject(stop.reason as Error) });
    const thrown = await rejection(runPlugin(execOf('sleep 60'), configFor('https://h').cluster, runtime));
    expect(thrown).toMatchObject({ code: 'KNEST_TIMEOUT' });
  });
});
