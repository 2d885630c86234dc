import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { getProxyForUrl } from 'proxy-from-env';
import { KnestError, messageOf } from '../errors.ts';
import { KubernetesClient } from './client.ts';
import { RestClient, type RequestObserver } from './rest.ts';

/** What tells which cluster to enter, and as whom. */
export interface Credentials {
  /** The text of a kubeconfig; wins over all else. */
  readonly kubeconfig: string | undefined;
  readonly kubeconfigFile: string | undefined;
  readonly context: string | undefined;
}

/** An entered cluster. */
export interface Connection {
  readonly client: KubernetesClient;
  readonly server: string;
  /** The user entry's name, as the kubeconfig calls it. */
  readonly user: string;
  /** Where the credentials came from, for people. */
  readonly source: string;
  /** A kubeconfig with this context alone and every file inlined: it works after those files are gone. */
  readonly kubeconfig: string;
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
): Connection {
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
  const only = portable(config, env);
  return {
    client: new KubernetesClient(new RestClient(only, signal, observe)),
    server: cluster.server,
    user: user?.name ?? 'anonymous',
    source,
    kubeconfig: only.exportConfig(),
  };
}

/** A client for the current context of a kubeconfig that is known to be good. */
export function enter(kubeconfig: string, signal: AbortSignal, observe?: RequestObserver): KubernetesClient {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  return new KubernetesClient(new RestClient(config, signal, observe));
}

function load(credentials: Credentials, env: NodeJS.ProcessEnv): { config: KubeConfig; source: string } {
  const config = new KubeConfig();
  if (credentials.kubeconfig !== undefined) {
    parse('host-kubeconfig', () => config.loadFromString(credentials.kubeconfig ?? ''));
    return { config, source: 'host-kubeconfig' };
  }
  const file = kubeconfigFile(credentials, env);
  if (file !== undefined) {
    // client-node reads relative paths in the file as relative to the file, as kubectl does.
    parse(file, () => config.loadFromFile(file));
    return { config, source: file };
  }
  if (existsSync(SERVICE_ACCOUNT_TOKEN) && env['KUBERNETES_SERVICE_HOST'] !== undefined) {
    config.loadFromCluster();
    return { config, source: "the pod's service account" };
  }
  throw new KnestError({
    code: 'KNEST_HOST_CONFIG',
    problem: 'there is no kubeconfig for the host cluster',
    evidence: ['looked at: host-kubeconfig, host-kubeconfig-file, KUBECONFIG, ~/.kube/config, a service account'],
    next: 'pass host-kubeconfig: ${{ secrets.HOST_KUBECONFIG }}, or run the job in a pod with a service account',
  });
}

function kubeconfigFile(credentials: Credentials, env: NodeJS.ProcessEnv): string | undefined {
  if (credentials.kubeconfigFile !== undefined) {
    if (existsSync(credentials.kubeconfigFile)) return resolve(credentials.kubeconfigFile);
    throw new KnestError({
      code: 'KNEST_HOST_CONFIG',
      problem: `host-kubeconfig-file: there is no file ${credentials.kubeconfigFile}`,
      next: 'check the path; it is relative to the directory that the job runs in',
    });
  }
  const delimiter = process.platform === 'win32' ? ';' : ':';
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  const candidates = listed.length > 0 ? listed : [join(env['HOME'] ?? homedir(), '.kube', 'config')];
  return candidates.find((path) => existsSync(path));
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

/** The current context alone, with certificates and keys inlined and the proxy of the environment set. */
function portable(config: KubeConfig, env: NodeJS.ProcessEnv): KubeConfig {
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  const context = config.getContextObject(config.getCurrentContext());
  const only = new KubeConfig();
  if (cluster === null || context === null) return config;
  const { caFile, ...clusterFields } = cluster;
  const proxyUrl = cluster.proxyUrl ?? proxyFor(cluster.server, env);
  only.loadFromOptions({
    clusters: [
      {
        ...clusterFields,
        ...(caFile !== undefined && { caData: inline(caFile) }),
        ...(proxyUrl !== undefined && { proxyUrl }),
      },
    ],
    users: user === null ? [] : [withoutFiles(user)],
    contexts: [context],
    currentContext: context.name,
  });
  return only;
}

function withoutFiles<U extends { readonly certFile?: string; readonly keyFile?: string }>(user: U): U {
  const { certFile, keyFile, ...fields } = user;
  return {
    ...fields,
    ...(certFile !== undefined && { certData: inline(certFile) }),
    ...(keyFile !== undefined && { keyData: inline(keyFile) }),
  } as unknown as U;
}

function inline(file: string): string {
  try {
    return readFileSync(file).toString('base64');
  } catch (thrown) {
    throw new KnestError({
      code: 'KNEST_HOST_CONFIG',
      problem: `the kubeconfig names ${file}, which cannot be read: ${messageOf(thrown)}`,
      next: `check that ${dirname(file)} is there in this job, or inline it with kubectl config view --flatten --raw`,
    });
  }
}

function proxyFor(server: string, env: NodeJS.ProcessEnv): string | undefined {
  // proxy-from-env reads process.env; nothing is set when the variables are not.
  const named = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];
  if (!named.some((name) => env[name])) return undefined;
  const proxy = getProxyForUrl(server);
  return proxy === '' ? undefined : proxy;
}
