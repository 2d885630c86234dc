import type { Kubeconfig } from '../../../../src/cluster/access/nested-kubeconfig.ts';

/** A kubeconfig of that server with a token and nothing else. */
export function tokenKubeconfig(server: string): Kubeconfig {
  return {
    server,
    tlsServerName: undefined,
    certificateAuthority: undefined,
    clientCertificate: undefined,
    clientKey: undefined,
    token: 'abc',
    proxyUrl: undefined,
  };
}
