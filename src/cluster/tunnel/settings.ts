import { readFileSync } from 'node:fs';
import type { SavedHost } from '../../post-state.ts';
import type { ClusterIdentity } from '../identity/identity.ts';
import type { ClusterHandle } from '../identity/cluster-handle.ts';

/** What the process of a tunnel is given, in a private file. No secret is in it: `host` names the file that has them. */
export interface TunnelSettings extends ClusterHandle {
  /** The uid of the Cluster. */
  readonly uid: string;
  /** The claim that is on the Cluster as long as no later attempt of the job adopts it; undefined when others may. */
  readonly claim?: string;
  readonly host: SavedHost;
  /** The port of localhost at which the registry of the cluster is reached; 0: a free one. Undefined: none. */
  readonly registryPort?: number;
}

/** How a tunnel finds the host, and which claim of the cluster it ends with. */
export type TunnelUse = Pick<TunnelSettings, 'claim' | 'host'>;

/** What the tunnels of the job take. Those of an ephemeral cluster end with its claim: no other job uses it. */
export function tunnelUse(host: SavedHost, { ephemeral, claim }: ClusterIdentity): TunnelUse {
  return ephemeral ? { host, claim } : { host };
}

/** What a tunnel sends to the step that started it, once it listens. */
export interface TunnelReady {
  readonly port: number;
  /** The port of localhost that leads to the registry, if any. */
  readonly registryPort?: number;
}

/** What it sends instead when it cannot listen on the port for the registry. */
export interface TunnelRefusal {
  /** The code of the system, such as EADDRINUSE. */
  readonly refused: string;
}

/** Reads the settings of a tunnel. */
export function readTunnelSettings(file: string): TunnelSettings {
  return JSON.parse(readFileSync(file, 'utf8')) as TunnelSettings;
}
