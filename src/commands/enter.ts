import { connect, type Connection, type EntryWorld } from '../host/connect.ts';
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

/** What entering a host takes of the world. */
export function entryWorld({ env, run, mask, redact, signal, log }: World): EntryWorld {
  return { env, run, mask, redact, signal, observe: log.debug };
}

function connectAs(inputs: HostInputs, world: World): Connection {
  const { env, signal, log, mintToken } = world;
  if (inputs.oidc !== undefined) return connectByOidc(inputs.oidc, mintToken, env, signal, log.debug);
  return connect(inputs, entryWorld(world));
}
