import { KnestError, type Failure } from '../errors.ts';
import type { Authentication, Credentials } from './credentials/authentication.ts';
import { KubernetesClient } from './api/client.ts';
import type { Connection, ConnectRuntime, UsedOidc } from './connection.ts';
import { IdTokens, type MintToken } from './credentials/id-tokens.ts';
import { parseKubeconfig } from './kubeconfig/kubeconfig.ts';
import type { OidcHost } from './oidc-host.ts';
import { loginOf, nobody, type Login } from './kubeconfig/login.ts';
import { portable } from './credentials/flatten-kubeconfig.ts';
import { RestClient } from './api/rest.ts';
import { Transport } from './api/transport.ts';

/** What GitHub sets for a job that may ask for OIDC tokens, its post step included. */
const REQUEST_URL = 'ACTIONS_ID_TOKEN_REQUEST_URL';

/**
 * Enters an API server with OIDC tokens of this job, minted when they are needed. No request is sent yet.
 * Throws KNEST_HOST_CREDENTIALS when the job may not have any.
 */
export function connectByOidc(
  host: OidcHost,
  mint: MintToken,
  { env, signal, observe, wasReached }: Pick<ConnectRuntime, 'env' | 'signal' | 'observe' | 'wasReached'>,
): Connection<UsedOidc> {
  if ((env[REQUEST_URL] ?? '') === '') {
    throw new KnestError({
      code: 'KNEST_HOST_CREDENTIALS',
      problem: 'this job cannot request an OIDC token from GitHub, and host-server needs one',
      evidence: [`${REQUEST_URL} is not set`],
      next: 'give the job `permissions: id-token: write`; jobs for pull requests from forks cannot have it: skip them',
    });
  }
  const tokens = new IdTokens(host.audience, mint);
  const { cluster } = loginFor(host, env);
  const transport = new Transport({ cluster, authentication: new OidcAuthentication(tokens) }, wasReached);
  return {
    client: new KubernetesClient(new RestClient(transport, signal, observe)),
    server: host.server,
    user: USER,
    source: `OIDC, audience ${host.audience}`,
    credentials: { oidc: host, tokens },
  };
}

/** Sends a token that is minted again before it expires. */
export class OidcAuthentication implements Authentication {
  readonly #tokens: IdTokens;

  constructor(tokens: IdTokens) {
    this.#tokens = tokens;
  }

  async credentials(): Promise<Credentials> {
    return { headers: { Authorization: bearer(await this.#tokens.token()) }, certificate: '', key: '' };
  }

  forget({ headers: { Authorization: header } }: Credentials): void {
    this.#tokens.forget(String(header).slice(bearer('').length));
  }

  refused(): Pick<Failure, 'evidence' | 'next'> {
    return {
      evidence: [this.#tokens.describe()],
      next: "compare it with the server's AuthenticationConfiguration, see docs/oidc.md; its log has the reason",
    };
  }
}

function bearer(token: string): string {
  return `Bearer ${token}`;
}

const USER = 'github-actions';

function loginFor({ server, caCertificate }: OidcHost, env: NodeJS.ProcessEnv): Login {
  const caData = caCertificate && Buffer.from(caCertificate).toString('base64');
  const kubeconfig = {
    clusters: [{ name: 'host', cluster: { server, 'certificate-authority-data': caData } }],
    contexts: [{ name: 'host', context: { cluster: 'host' } }],
    'current-context': 'host',
  };
  return loginOf(parseKubeconfig(JSON.stringify(kubeconfig), 'host-server'), undefined, 'host-server', env);
}

/** A kubeconfig with a token file, which programs read again when they run for long. */
export function kubeconfigWithTokenFile(host: OidcHost, tokenFile: string): string {
  // The programs read the environment for proxies themselves.
  const login = loginFor(host, {});
  return portable({ ...login, user: { ...nobody(USER), tokenFile } });
}
