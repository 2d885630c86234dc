import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { KubeConfig, type User } from '@kubernetes/client-node';
import { getProxyForUrl } from 'proxy-from-env';
import { KnestError, messageOf } from '../errors.ts';

/** The current context alone, with certificates and keys inlined and the proxy of the environment set. */
export function portable(config: KubeConfig): KubeConfig {
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  const context = config.getContextObject(config.getCurrentContext());
  const only = new KubeConfig();
  if (cluster === null || context === null) return config;
  const { caFile, ...clusterFields } = cluster;
  const proxyUrl = isSet(cluster.proxyUrl) ? cluster.proxyUrl : getProxyForUrl(cluster.server);
  only.loadFromOptions({
    clusters: [
      {
        ...clusterFields,
        ...(isSet(caFile) && { caData: inline(caFile) }),
        ...(proxyUrl !== '' && { proxyUrl }),
      },
    ],
    users: user === null ? [] : [withoutFiles(user)],
    contexts: [context],
    currentContext: context.name,
  });
  return only;
}

/** The text of a kubeconfig that other programs understand too. */
export function exported(config: KubeConfig): string {
  const kubeconfig = JSON.parse(config.exportConfig()) as { readonly users: readonly ExportedUser[] };
  const users = kubeconfig.users.map(({ name, user }) => {
    const { 'auth-provider': provider, ...rest } = user;
    // The library's own way to say what a kubeconfig calls tokenFile; client-go does not know it.
    if (provider?.name !== 'tokenFile') return { name, user };
    return { name, user: { ...rest, tokenFile: provider.config.tokenFile } };
  });
  return JSON.stringify({ ...kubeconfig, users });
}

interface ExportedUser {
  readonly name: string;
  readonly user: {
    readonly 'auth-provider'?: { readonly name: string; readonly config: { readonly tokenFile?: string } };
  };
}

function withoutFiles(user: User): User {
  const { certFile, keyFile, ...fields } = user;
  return {
    ...fields,
    ...(isSet(certFile) && { certData: inline(certFile) }),
    ...(isSet(keyFile) && { keyData: inline(keyFile) }),
  };
}

/** The library gives null, against its own types, for what a kubeconfig leaves out. */
function isSet(text: string | null | undefined): text is string {
  return text !== null && text !== undefined && text !== '';
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
