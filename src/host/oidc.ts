import { KubeConfig } from '@kubernetes/client-node';
import { KnestError } from '../errors.ts';
import { KubernetesClient } from './client.ts';
import type { Connection, UsedOidc } from './connect.ts';
import { IdTokens, type MintToken } from './id-tokens.ts';
import { exported, portable } from './portable.ts';
import { RestClient, type RequestObserver } from './rest.ts';
import { Transport } from './transport.ts';

/** An API server that takes GitHub's OIDC tokens: enough to enter it, by a job that may have some. Nothing secret. */
export interface OidcHost {
  readonly server: string;
  /** PEM; undefined for a certificate that a public authority signed. */
  readonly caCertificate: string | undefined;
  readonly audience: string;
}

/** What GitHub sets for a job that may ask for OIDC tokens, its post step included. */
const REQUEST_URL = 'ACTIONS_ID_TOKEN_REQUEST_URL';

/**
 * Enters an API server with OIDC tokens of this job, minted when they are needed. No request is sent yet.
 * Throws KNEST_HOST_CREDENTIALS when the job may not have any.
 */
export function connectByOidc(
  host: OidcHost,
  mint: MintToken,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  observe?: RequestObserver,
): Connection<UsedOidc> {
  if ((env[REQUEST_URL] ?? '') === '') {
    throw new KnestError({
      code: 'KNEST_HOST_CREDENTIALS',
      problem: 'this job may not ask GitHub for an OIDC token, and host-server needs one',
      evidence: [`${REQUEST_URL} is not set`],
      next: 'give the job `permissions: id-token: write`; jobs for pull requests from forks cannot have it: skip them',
    });
  }
  const tokens = new IdTokens(host.audience, mint);
  const config = portable(configOf(host));
  return {
    client: new KubernetesClient(new RestClient(new Transport(config, tokens), signal, observe)),
    server: host.server,
    user: USER,
    source: `OIDC, audience ${host.audience}`,
    credentials: { oidc: host, tokens },
  };
}

const USER = 'github-actions';

function configOf({ server, caCertificate }: OidcHost): KubeConfig {
  const config = new KubeConfig();
  const caData = caCertificate && Buffer.from(caCertificate).toString('base64');
  config.loadFromOptions({
    clusters: [{ name: 'host', server, skipTLSVerify: false, ...(caData !== undefined && { caData }) }],
    users: [{ name: USER }],
    contexts: [{ name: 'host', cluster: 'host', user: USER }],
    currentContext: 'host',
  });
  return config;
}

/** A kubeconfig whose token is in a file of its own: other programs read that again when they run for long. */
export function kubeconfigWithTokenFile(host: OidcHost, tokenFile: string): string {
  const config = portable(configOf(host));
  config.users = [{ name: USER, authProvider: { name: 'tokenFile', config: { tokenFile } } }];
  return exported(config);
}
