import type { KubernetesClient } from './api/client.ts';
import type { PluginRuntime } from './credentials/exec-plugin.ts';
import type { IdTokens } from './credentials/id-tokens.ts';
import type { OidcHost } from './oidc-host.ts';
import type { RequestObserver } from './api/request.ts';

/** What entering a cluster takes from outside. */
export interface EntryRuntime extends PluginRuntime {
  readonly signal: AbortSignal;
  readonly observe: RequestObserver;
  /** Whether this job is known to have reached the server before: then it may be away for a while. */
  readonly wasReached: boolean;
}

/** An entered cluster. */
export interface Connection<Used extends UsedCredentials = UsedCredentials> {
  readonly client: KubernetesClient;
  readonly server: string;
  /** The user entry's name, as the kubeconfig calls it. */
  readonly user: string;
  /** Where the credentials came from, for people. */
  readonly source: string;
  readonly credentials: Used;
}

/** What a cluster was entered with, to enter it again. */
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
