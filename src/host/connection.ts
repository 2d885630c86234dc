import type { KubernetesClient } from './api/client.ts';
import type { PluginRuntime } from './credentials/exec-plugin.ts';
import type { IdTokens } from './credentials/id-tokens.ts';
import type { OidcHost } from './oidc-host.ts';
import type { RequestObserver } from './api/request.ts';

/** What a connection needs from outside. */
export interface ConnectRuntime extends PluginRuntime {
  readonly signal: AbortSignal;
  readonly observe: RequestObserver;
  /** Whether this job has reached the server before: if so, an outage is waited for. */
  readonly wasReached: boolean;
}

/** A connection to a cluster. */
export interface Connection<Used extends UsedCredentials = UsedCredentials> {
  readonly client: KubernetesClient;
  readonly server: string;
  /** The user entry's name, as the kubeconfig calls it. */
  readonly user: string;
  /** Where the credentials came from, for people. */
  readonly source: string;
  readonly credentials: Used;
}

/** The credentials of a connection, to connect again. */
export type UsedCredentials = UsedKubeconfig | UsedOidc;

/** A kubeconfig with one context, certificates and keys in it: it works after their files are gone. */
export interface UsedKubeconfig {
  readonly kubeconfig: string;
}

/** An API server that takes tokens, which the job can mint itself. */
export interface UsedOidc {
  readonly oidc: OidcHost;
  readonly tokens: IdTokens;
}
