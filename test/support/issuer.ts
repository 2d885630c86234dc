import { generateKeyPairSync, sign, randomUUID } from 'node:crypto';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { makeCertificate } from './certificate.ts';

// A program: an issuer of OIDC tokens in the place of GitHub's, on 127.0.0.1 of the network it is run in. Its first
// line is its address (JSON); each line after that is the audience of a token it gave out.

/** How to trust the issuer, and where to ask it. */
export interface IssuerAddress {
  /** Where an API server finds out about its keys. */
  readonly discoveryUrl: string;
  /** PEM, for that address. */
  readonly certificateAuthority: string;
  /** Where a job asks for tokens, as GitHub tells it; `&lifetime=SECONDS` and `&age=SECONDS` change the token. */
  readonly requestUrl: string;
}

/** What proves a job to GitHub when it asks for tokens. */
export const requestToken = 'request-token-5d41402abc4b';

const issuer = 'https://token.actions.githubusercontent.com';
const usualLifetime = 300;

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function main(): Promise<void> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const certificate = makeCertificate();

  const token = (audience: string, parameters: URLSearchParams): string => {
    const seconds = (name: string, preset: number): number => Number(parameters.get(name) ?? preset);
    const iat = Math.floor(Date.now() / 1000) - seconds('age', 0);
    // The claims of a job. Source: docs.github.com, "OpenID Connect reference".
    const claims = {
      iss: issuer,
      aud: audience,
      sub: 'repo:octo-org@583231/octo-repo@1296269:ref:refs/heads/main',
      // As GitHub's have: two of the same second are not the same.
      jti: randomUUID(),
      iat,
      nbf: iat,
      exp: iat + seconds('lifetime', usualLifetime),
      repository: 'octo-org/octo-repo',
      repository_id: parameters.get('repository_id') ?? '1296269',
      repository_owner_id: '583231',
      event_name: 'push',
      run_id: '1658821493',
      job_workflow_ref: 'octo-org/octo-repo/.github/workflows/test.yml@refs/heads/main',
    };
    const head = { alg: 'RS256', typ: 'JWT', kid: 'test' };
    const text = [head, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
  };

  const discovery = createHttpsServer(certificate, ({ url }, response) => {
    if (url === '/keys') {
      const key = { ...publicKey.export({ format: 'jwk' }), kid: 'test', use: 'sig', alg: 'RS256' };
      answer(response, 200, { keys: [key] });
    } else {
      answer(response, 200, { issuer, jwks_uri: `${base}/keys`, id_token_signing_alg_values_supported: ['RS256'] });
    }
  });
  const base = `https://127.0.0.1:${await listen(discovery)}`;

  const requests = createHttpServer((request: IncomingMessage, response) => {
    const { searchParams } = new URL(request.url ?? '', base);
    const audience = searchParams.get('audience') ?? '';
    if (request.headers.authorization !== `Bearer ${requestToken}`) {
      answer(response, 401, {});
      return;
    }
    console.log(audience);
    answer(response, 200, { value: token(audience, searchParams) });
  });
  const address: IssuerAddress = {
    discoveryUrl: `${base}/.well-known/openid-configuration`,
    certificateAuthority: certificate.cert,
    requestUrl: `http://127.0.0.1:${await listen(requests)}/token?api-version=2.0`,
  };
  console.log(JSON.stringify(address));
}

if (import.meta.main) await main();
