import type { ClusterIdentity } from '../../cluster/identity/identity.ts';
import type { TunnelUse } from '../../cluster/tunnel/settings.ts';
import type { SavedHost } from '../../post-state.ts';

/** What the tunnels of the job take. Those of an ephemeral cluster end with its claim: no other job uses it. */
export function tunnelUse(host: SavedHost, { ephemeral, claim }: ClusterIdentity): TunnelUse {
  return ephemeral ? { host, claim } : { host };
}
