import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { IdTokens } from '../../../src/host/credentials/id-tokens.ts';
import { Kinds } from '../../../src/host/api/kinds.ts';
import { type OidcHost } from '../../../src/host/oidc-host.ts';
import { connectByOidc, kubeconfigWithTokenFile, OidcAuthentication } from '../../../src/host/oidc.ts';
import { RestClient } from '../../../src/host/api/rest.ts';
import { KubernetesClient } from '../../../src/host/api/client.ts';
import { Transport } from '../../../src/host/api/transport.ts';
import { watch, watchTarget } from '../../../src/host/api/watch.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { rejection } from '../rejection.ts';
import { configFor, json, quietRuntime, refuse, serve, type Handler } from './server.ts';

const never = new AbortController().signal;
const { cert } = makeCertificate();
const host: OidcHost = { server: 'https://host.example.com:6443', caCertificate: cert, audience: 'knest:host' };
const allowed = { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://pipelines.example.com/token?api-version=2.0' };
const unused = async (): Promise<string> => Promise.reject(new Error('not asked for'));

/** A client whose tokens are `token-1`, `token-2`, … */
async function clientFor(handler: Handler) {
  const { url, received } = await serve(handler);
  let number = 0;
  const tokens = new IdTokens('knest:host', async () => Promise.resolve(`token-${++number}`));
  const client = new KubernetesClient(
    new RestClient(new Transport({ ...configFor(url), authentication: new OidcAuthentication(tokens) }), never),
  );
  return { client, authorizations: () => received.map(({ headers }) => headers.authorization) };
}

describe('a job', () => {
  it('that may not request a token fails at once', () => {
    expect(() => connectByOidc(host, unused, quietRuntime({ env: {} }))).toThrow(
      expect.objectContaining({
        code: 'KNEST_HOST_CREDENTIALS',
        problem: 'this job cannot request an OIDC token from GitHub, and host-server needs one',
        next: 'give the job `permissions: id-token: write`; jobs for pull requests from forks cannot have it: skip them',
      }) as Error,
    );
  });

  it('that may request tokens connects with its audience', () => {
    expect(connectByOidc(host, unused, quietRuntime({ env: allowed }))).toMatchObject({
      server: 'https://host.example.com:6443',
      source: 'OIDC, audience knest:host',
      credentials: { oidc: host },
    });
  });
});

describe('every request', () => {
  it('carries the token', async () => {
    const { client, authorizations } = await clientFor((response) => json(response, { gitVersion: 'v1.36.3' }));
    await client.version();
    await client.version();
    expect(authorizations()).toEqual(['Bearer token-1', 'Bearer token-1']);
  });

  it('is sent again with a new token after a 401', async () => {
    const { client, authorizations } = await clientFor((response, number) =>
      number === 1 ? refuse(response, 401) : json(response, { gitVersion: 'v1.36.3' }),
    );
    await client.version();
    expect(await client.version()).toBe('v1.36.3');
    expect(authorizations()).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2']);
  });

  it('that is refused twice reports the claims of the token', async () => {
    const { client, authorizations } = await clientFor((response) => refuse(response, 401));
    expect(await rejection(client.version())).toMatchObject({
      code: 'KNEST_HOST_CREDENTIALS',
      problem: 'GET /version failed with 401 Reason401: refused with 401',
      evidence: [expect.stringContaining('the token has issuer')],
      next: expect.stringContaining('docs/oidc.md') as string,
    });
    expect(authorizations()).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  it('of a watch is also repeated when its stream is refused', async () => {
    const { client, authorizations } = await clientFor((response, number, { path }) => {
      if (!path.includes('watch=true')) json(response, { items: [], metadata: { resourceVersion: '1' } });
      else if (number === 1) refuse(response, 401);
      else response.writeHead(200).end('{"type":"ADDED","object":{"metadata":{"name":"a","namespace":"n"}}}\n');
    });
    const done = new AbortController();
    const target = watchTarget(Kinds.pod, { namespace: 'n' });
    const reasons: string[] = [];
    const seen = (): void => {
      if (target.objects.size > 0) done.abort();
    };
    await watch(client, target, seen, done.signal, ({ reason }) => reasons.push(reason));
    expect([...target.objects.keys()]).toEqual(['n/a']);
    expect(reasons).toEqual([]);
    expect(authorizations()).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2']);
  });
});

describe('the kubeconfig for other programs', () => {
  it('names the file of the token, and does not contain it', () => {
    expect(parse(kubeconfigWithTokenFile(host, '/private/token'))).toMatchObject({
      'current-context': 'host',
      clusters: [{ cluster: { server: host.server, 'certificate-authority-data': btoa(cert) } }],
      users: [{ name: 'github-actions', user: { tokenFile: '/private/token' } }],
      contexts: [{ name: 'host', context: { cluster: 'host', user: 'github-actions' } }],
    });
  });

  it('leaves out the certificate authority when it is a public one', () => {
    const text = kubeconfigWithTokenFile({ ...host, caCertificate: undefined }, '/private/token');
    expect(text).not.toContain('certificate-authority');
    expect(text).not.toContain('"insecure-skip-tls-verify":true');
  });
});
