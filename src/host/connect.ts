import { delimiter } from 'node:path';
import { KnestError } from '../errors.ts';
import { secretForms } from '../values/secret-forms.ts';
import { UserAuthentication } from './credentials/authentication.ts';
import { KubernetesClient } from './api/client.ts';
import type { Connection, ConnectRuntime, UsedKubeconfig } from './connection.ts';
import { merged, notUsable, parseKubeconfig, type Kubeconfig, type NestedCluster } from './kubeconfig/kubeconfig.ts';
import {
  givenFile,
  givenText,
  implicitFiles,
  missingFiles,
  serviceAccount,
  type KubeconfigText,
} from './kubeconfig/files.ts';
import { secretsOfKubeconfig } from './kubeconfig/secrets.ts';
import { loginOf, type Login } from './kubeconfig/login.ts';
import { RestClient, unobserved } from './api/rest.ts';
import { Transport } from './api/transport.ts';

/** Which cluster to connect to, and as which user. */
export interface GivenCredentials {
  /** The text of a kubeconfig, or its base64; wins over all else. */
  readonly kubeconfig: string | undefined;
  readonly kubeconfigFile: string | undefined;
  readonly context: string | undefined;
}

/**
 * Connects to a cluster: `kubeconfig`, else `kubeconfigFile`, else KUBECONFIG, else ~/.kube/config, else the pod's service
 * account. Masks every secret of them. Sends no request yet. Throws KNEST_HOST_CONFIG when there is no usable
 * configuration.
 */
export function connect(given: GivenCredentials, runtime: ConnectRuntime): Connection<UsedKubeconfig> {
  return connectTo(textsOf(given, runtime.env), given.context, runtime);
}

/**
 * The nested cluster that KUBECONFIG or ~/.kube/config are for, since an earlier step handed its kubeconfig over;
 * undefined when they are for any other, or have the context that is asked for by name. Throws KNEST_HOST_CONFIG.
 */
export function nestedClusterOf(env: NodeJS.ProcessEnv, context: string | undefined): NestedCluster | undefined {
  const { clusters, contexts, currentContext } = kubeconfigOf(implicitTexts(env));
  if (context !== undefined && contexts.has(context)) return undefined;
  return clusters.get(contexts.get(currentContext)?.cluster ?? '')?.nested;
}

/** Connects to the cluster of a kubeconfig that the action wrote; `source` is its origin as the log names it. */
export function connectWith(
  kubeconfig: string,
  source: string,
  runtime: ConnectRuntime,
  context?: string,
): Connection<UsedKubeconfig> {
  return connectTo([{ text: kubeconfig, source, directory: undefined }], context, runtime);
}

/** Connects to the cluster of a kubeconfig that names neither files nor programs, and whose secrets are masked. */
export function connectPlain(kubeconfig: string, signal: AbortSignal): KubernetesClient {
  const run = async (): Promise<never> => Promise.reject(new Error('it has no plugin'));
  const runtime = { env: {}, run, mask: () => undefined, redact: (text: string) => text };
  return connectWith(kubeconfig, 'the kubeconfig', { ...runtime, signal, observe: unobserved, wasReached: false })
    .client;
}

function connectTo(
  texts: readonly KubeconfigText[],
  context: string | undefined,
  runtime: ConnectRuntime,
): Connection<UsedKubeconfig> {
  // First, since an error below may quote them.
  for (const { text } of texts) for (const secret of secretsOfKubeconfig(text)) runtime.mask(secret);
  const source = texts.map((text) => text.source).join(delimiter);
  const login = loginOf(kubeconfigOf(texts), context, source, runtime.env);
  for (const form of secretForms(login.user.key)) runtime.mask(form);
  if (isAnonymous(login))
    throw notUsable(source, [`user "${login.user.name}" has no token, certificate, password or exec`]);
  const authentication = new UserAuthentication(login, runtime);
  const transport = new Transport({ cluster: login.cluster, authentication }, runtime.wasReached);
  return {
    client: new KubernetesClient(new RestClient(transport, runtime.signal, runtime.observe)),
    server: login.cluster.server,
    user: login.user.name,
    source,
    credentials: {
      get kubeconfig() {
        return authentication.copy();
      },
    },
  };
}

/** Whether a login over TLS has no credentials: kubectl prompts for a user and a password then. */
function isAnonymous({ cluster, user }: Login): boolean {
  const { token, tokenFile, certificate, username, exec, authProvider } = user;
  const hasAny = `${token}${tokenFile}${certificate}${username}` !== '' || (exec ?? authProvider) !== undefined;
  return !hasAny && cluster.authorization === undefined && cluster.server.startsWith('https:');
}

function kubeconfigOf(texts: readonly KubeconfigText[]): Kubeconfig {
  return merged(texts.map(({ text, source, directory }) => parseKubeconfig(text, source, directory)));
}

function implicitTexts(env: NodeJS.ProcessEnv): readonly KubeconfigText[] {
  return implicitFiles(env).filter((file) => !isEmpty(file));
}

/** Whether a kubeconfig has no entries at all: kubectl uses the pod's service account then. */
function isEmpty(file: KubeconfigText): boolean {
  try {
    const { clusters, users, contexts, currentContext } = kubeconfigOf([file]);
    return clusters.size + users.size + contexts.size === 0 && currentContext === '';
  } catch {
    // It is refused with the reason later, once its secrets are masked.
    return false;
  }
}

/** The kubeconfigs that apply, in the order in which they are merged. */
function textsOf(given: GivenCredentials, env: NodeJS.ProcessEnv): readonly KubeconfigText[] {
  if (given.kubeconfig !== undefined) return [givenText(given.kubeconfig)];
  if (given.kubeconfigFile !== undefined) return [givenFile(given.kubeconfigFile, env)];
  const texts = implicitTexts(env);
  if (texts.length > 0) return texts;
  const account = serviceAccount(env);
  if (account !== undefined) return [account];
  throw new KnestError({
    code: 'KNEST_HOST_CONFIG',
    problem: 'there is no kubeconfig for the host cluster',
    evidence: [
      'searched: host-kubeconfig, host-kubeconfig-file, KUBECONFIG, ~/.kube/config, a service account',
      ...missingFiles(env),
    ],
    next: 'pass host-kubeconfig: ${{ secrets.HOST_KUBECONFIG }}, or run in a pod with a service account',
  });
}
