import type { Answer } from './exec-plugin.ts';
import { EXEC_EXTENSION, LAST_ANSWER } from '../kubeconfig/kubeconfig.ts';
import type { Login, LoginCluster, LoginUser } from '../kubeconfig/login.ts';

/**
 * The text of a kubeconfig with this login alone, for other programs, and for the action itself later. It needs no other
 * file but those with tokens. `answer`: what the user's plugin answered last, for when it is gone.
 */
export function portable({ context, cluster, user }: Login, answer?: Answer): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: cluster.name, cluster: clusterFields(cluster) }],
    users: [{ name: user.name, user: userFields(user, answer) }],
    contexts: [{ name: context, context: { cluster: cluster.name, user: user.name } }],
    'current-context': context,
  });
}

function clusterFields(cluster: LoginCluster): object {
  return {
    server: cluster.address,
    'tls-server-name': given(cluster.tlsServerName),
    'certificate-authority-data': base64(cluster.certificateAuthority),
    'insecure-skip-tls-verify': cluster.insecureSkipTlsVerify || undefined,
    'disable-compression': cluster.disableCompression || undefined,
    'proxy-url': given(cluster.proxyUrl),
    extensions:
      cluster.execConfig === undefined ? undefined : [{ name: EXEC_EXTENSION, extension: cluster.execConfig }],
  };
}

function userFields(user: LoginUser, answer: Answer | undefined): object {
  const { impersonate, authProvider, exec } = user;
  return {
    'client-certificate-data': base64(user.certificate),
    'client-key-data': base64(user.key),
    token: given(user.token),
    tokenFile: given(user.tokenFile),
    username: given(user.username),
    password: given(user.password),
    as: given(impersonate.user),
    'as-uid': given(impersonate.uid),
    'as-groups': impersonate.groups.length === 0 ? undefined : impersonate.groups,
    'as-user-extra': impersonate.extra.size === 0 ? undefined : Object.fromEntries(impersonate.extra),
    'auth-provider': authProvider && { ...authProvider, config: Object.fromEntries(authProvider.config) },
    exec,
    extensions: answer && [{ name: LAST_ANSWER, extension: statusOf(answer) }],
  };
}

function statusOf({ token, certificate, key, expires }: Answer): object {
  return {
    token: given(token),
    clientCertificateData: given(certificate),
    clientKeyData: given(key),
    expirationTimestamp: given(expires),
  };
}

/** Left out when blank. */
function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}

function base64(text: string): string | undefined {
  return text === '' ? undefined : Buffer.from(text).toString('base64');
}
