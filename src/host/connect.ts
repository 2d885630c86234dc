import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { KnestError } from '../errors.ts';
import { KubernetesClient } from './client.ts';
import type { IdTokens } from './id-tokens.ts';
import type { OidcHost } from './oidc.ts';
import { exported, portable } from './portable.ts';
import { RestClient, type RequestObserver } from './rest.ts';
import { Transport } from './transport.ts';

/** What tells which cluster to enter, and as whom. */
export interface Credentials {
  /** The text of a kubeconfig; wins over all else. */
  readonly kubeconfig: string | undefined;
  readonly kubeconfigFile: string | undefined;
  readonly context: string | undefined;
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

/** What a cluster was entered with, for whoever has to enter it again. */
export type UsedCredentials = UsedKubeconfig | UsedOidc;

/** A kubeconfig with one context alone and every file inlined: it works after those files are gone. */
export interface UsedKubeconfig {
  readonly kubeconfig: string;
}

/** An API server that takes tokens, which the job can mint itself. */
export interface UsedOidc {
  readonly oidc: OidcHost;
  readonly tokens: IdTokens;
}

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * Enters a cluster: `kubeconfig`, else `kubeconfigFile`, else KUBECONFIG, else ~/.kube/config, else the pod's own
 * service account. No request is sent yet. Throws KNEST_HOST_CONFIG when there is no usable configuration.
 */
export function connect(
  credentials: Credentials,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  observe?: RequestObserver,
): Connection<UsedKubeconfig> {
  const { config, source } = load(credentials, env);
  if (credentials.context !== undefined) {
    const names = config.getContexts().map(({ name }) => name);
    if (!names.includes(credentials.context)) {
      throw new KnestError({
        code: 'KNEST_HOST_CONFIG',
        problem: `host-context: ${source} has no context "${credentials.context}"`,
        next: names.length === 0 ? 'it has no context at all' : `it has ${names.join(', ')}`,
      });
    }
    config.setCurrentContext(credentials.context);
  }
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (!cluster?.server) {
    throw new KnestError({
      code: 'KNEST_HOST_CONFIG',
      problem: `${source} names no cluster in its current context "${config.getCurrentContext()}"`,
      next: 'set current-context in it, or the input host-context',
    });
  }
  const only = portable(config);
  return {
    client: new KubernetesClient(new RestClient(new Transport(only), signal, observe)),
    server: cluster.server,
    user: user?.name ?? 'anonymous',
    source,
    credentials: { kubeconfig: exported(only) },
  };
}

/** A client for the current context of a kubeconfig that is known to be good. */
export function enter(kubeconfig: string, signal: AbortSignal, observe?: RequestObserver): KubernetesClient {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  return new KubernetesClient(new RestClient(new Transport(config), signal, observe));
}

function load(credentials: Credentials, env: NodeJS.ProcessEnv): { config: KubeConfig; source: string } {
  const config = new KubeConfig();
  if (credentials.kubeconfig !== undefined) {
    parse('host-kubeconfig', () => config.loadFromString(credentials.kubeconfig ?? ''));
    return { config, source: 'host-kubeconfig' };
  }
  const files = kubeconfigFiles(credentials, env);
  if (files.length > 0) {
    for (const file of files) parse(file, () => merge(config, file));
    return { config, source: files.join(delimiter) };
  }
  if (existsSync(SERVICE_ACCOUNT_TOKEN) && env['KUBERNETES_SERVICE_HOST'] !== undefined) {
    config.loadFromCluster();
    return { config, source: "the pod's service account" };
  }
  throw new KnestError({
    code: 'KNEST_HOST_CONFIG',
    problem: 'there is no kubeconfig for the host cluster',
    evidence: ['looked at: host-kubeconfig, host-kubeconfig-file, KUBECONFIG, ~/.kube/config, a service account'],
    next: 'pass host-kubeconfig: ${{ secrets.HOST_KUBECONFIG }} (blank for pull requests from forks, which get no secrets), or run in a pod with a service account',
  });
}

function kubeconfigFiles(credentials: Credentials, env: NodeJS.ProcessEnv): readonly string[] {
  if (credentials.kubeconfigFile !== undefined) {
    if (existsSync(credentials.kubeconfigFile)) return [resolve(credentials.kubeconfigFile)];
    throw new KnestError({
      code: 'KNEST_HOST_CONFIG',
      problem: `host-kubeconfig-file: there is no file ${credentials.kubeconfigFile}`,
      next: 'check the path; it is relative to the directory that the job runs in',
    });
  }
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  const candidates = listed.length > 0 ? listed : [join(env['HOME'] ?? homedir(), '.kube', 'config')];
  return candidates.filter((path) => existsSync(path));
}

/** Adds a file to what was read before, which wins, as for kubectl. Paths in it are relative to it. */
function merge(config: KubeConfig, file: string): void {
  const next = new KubeConfig();
  next.loadFromFile(file);
  if (config.getContexts().length === 0) {
    const { clusters, users, contexts, currentContext } = next;
    config.loadFromOptions({ clusters, users, contexts, currentContext });
  } else {
    config.mergeConfig(next, true);
  }
}

function parse(source: string, read: () => void): void {
  try {
    read();
  } catch (thrown) {
    throw new KnestError({
      code: 'KNEST_HOST_CONFIG',
      // The parser's message quotes the text it read, which may be a key: only its kind is told.
      problem: `${source} is no kubeconfig (${thrown instanceof Error ? thrown.name : 'error'})`,
      next: 'pass the whole YAML of a kubeconfig, for example from `kubectl config view --minify --flatten --raw`',
    });
  }
}
