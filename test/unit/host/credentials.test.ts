import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { KnestError } from '../../../src/errors.ts';
import { hasStatus, RestClient } from '../../../src/host/rest.ts';
import { Transport } from '../../../src/host/transport.ts';
import { rejection } from '../rejection.ts';
import { configFor, json, refuse, serve } from './server.ts';

const never = new AbortController().signal;
const get = { method: 'GET', path: '/version' } as const;

describe('credentials', () => {
  /** A kubeconfig whose command gives another token each time, expired already, so that nothing keeps it but the client. */
  function rotating(url: string): KubeConfig {
    const directory = mkdtempSync(join(tmpdir(), 'knest-rest-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const status = '{"expirationTimestamp":"2020-01-01T00:00:00Z","token":"token-%d"}';
    return withCommand(url, `echo >> "$0"; printf '{"status":${status}}' $(wc -l < "$0")`, join(directory, 'calls'));
  }

  function withCommand(url: string, ...script: string[]): KubeConfig {
    const config = configFor(url);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', ...script] };
    config.users = [{ name: 'u', exec }];
    return config;
  }

  it('are read once for many requests', async () => {
    const { url, received } = await serve((response) => json(response, {}));
    const client = new RestClient(new Transport(rotating(url)), never);
    await client.json(get);
    await Promise.all([client.json(get), client.json(get)]);
    expect(received.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Bearer token-1'));
  });

  it('are read again after a 401, at once', async () => {
    const { url, received } = await serve((response, number) =>
      number === 0 ? refuse(response, 401) : json(response, { ok: true }),
    );
    expect(await new RestClient(new Transport(rotating(url)), never).json(get)).toEqual({ ok: true });
    expect(received.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  it('that are refused twice are refused', async () => {
    const { url, received } = await serve((response) => refuse(response, 401));
    const thrown = await rejection(new RestClient(new Transport(rotating(url)), never).json(get));
    expect(hasStatus(thrown, 401)).toBe(true);
    expect(thrown).toMatchObject({ code: 'KNEST_HOST_CREDENTIALS' });
    expect(received).toHaveLength(2);
  });

  it('that cannot be read are named as the problem, without a request', async () => {
    const { url, received } = await serve((response) => json(response, {}));
    const config = withCommand(url, 'echo "aws: no session" >&2; echo secret >&2; exit 1');
    const thrown = await rejection(new RestClient(new Transport(config), never).json(get));
    expect(thrown).toBeInstanceOf(KnestError);
    expect(thrown).toMatchObject({
      code: 'KNEST_HOST_CREDENTIALS',
      problem: `the credentials for ${url} cannot be used: aws: no session`,
    });
    expect(received).toHaveLength(0);
  });
});
