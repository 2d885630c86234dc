import { connect, type Connection } from '../host/connect.ts';
import { secretsOfKubeconfig } from '../host/kubeconfig-secrets.ts';
import { connectByOidc } from '../host/oidc.ts';
import type { HostInputs } from '../inputs.ts';
import type { World } from '../world.ts';

/** Enters the host, its secrets masked from here on, and tells where and as whom. Errors: KNEST_HOST_*. */
export async function enterHost(inputs: { readonly host: HostInputs }, world: World): Promise<Connection> {
  return world.log.step('Connect', async () => {
    const host = connectAs(inputs.host, world);
    const version = await host.client.version();
    const userName = (await host.client.userName()) ?? host.user;
    return { value: host, result: `${host.server}, Kubernetes ${version}, as ${userName} (${host.source})` };
  });
}

/** Has every secret of a kubeconfig masked from here on. */
export function maskSecrets(kubeconfig: string, { mask }: World): void {
  for (const secret of secretsOfKubeconfig(kubeconfig)) mask(secret);
}

function connectAs(inputs: HostInputs, world: World): Connection {
  const { env, signal, log, mintToken } = world;
  if (inputs.oidc !== undefined) return connectByOidc(inputs.oidc, mintToken, env, signal, log.debug);
  const host = connect(inputs, env, signal, log.debug);
  maskSecrets(host.credentials.kubeconfig, world);
  return host;
}
