import {
  AUTOMATIC_INFRASTRUCTURES,
  type Infrastructure,
  type InfrastructureProvider,
} from '../../catalog/infrastructures.ts';
import type { Kind } from '../../host/api/kinds.ts';
import type { Cluster, Machine } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import type { Engine, Persistence } from './engine.ts';
import { inMemory } from './in-memory.ts';
import { kubevirt } from './kubevirt.ts';
import { other } from './other.ts';
import { virtink } from './virtink.ts';

/** All engines. */
export const ENGINES: readonly Engine[] = [virtink, kubevirt, inMemory, other];

/** An engine that a host can be seen to have. */
interface AutomaticEngine {
  readonly name: Infrastructure;
  /** A kind of its Cluster API provider. */
  readonly provider: Kind;
  /** A kind of what runs its machines. */
  readonly machines: Kind;
}

/** The engines that `infrastructure: auto` chooses from: the first that the host serves in full. */
export const AUTOMATIC_ENGINES: readonly AutomaticEngine[] = AUTOMATIC_INFRASTRUCTURES.map(engineNamed).flatMap(
  ({ name, kinds, virtualMachines }) =>
    name === 'other' || kinds === undefined || virtualMachines === undefined
      ? []
      : [{ name, provider: kinds.cluster, machines: virtualMachines.kind }],
);

/** The engine of an infrastructure that inputs ask for. */
export function engineNamed(infrastructure: Infrastructure | InfrastructureProvider): Engine {
  return ENGINES.find(({ name }) => name === infrastructure) ?? other;
}

/**
 * The engine of a Cluster, by the kind of its infrastructure. `fallback`: that of a Cluster whose ClusterClass has not given
 * it one yet.
 */
export function engineOf(cluster: Cluster | undefined, fallback: Engine = other): Engine {
  const kind = cluster?.spec?.infrastructureRef?.kind;
  return kind === undefined ? fallback : engineWith('cluster', kind);
}

/** The engine of a Machine, by the kind of its infrastructure. */
export function engineOfMachine({ spec }: Machine): Engine {
  return engineWith('machine', spec?.infrastructureRef?.kind);
}

/** The engine of a machine template; `other` for any other object too. */
export function engineOfTemplate({ kind }: KubernetesObject): Engine {
  return engineWith('machineTemplate', kind);
}

function engineWith(part: 'cluster' | 'machine' | 'machineTemplate', kind: string | undefined): Engine {
  return ENGINES.find(({ kinds }) => kinds?.[part].kind === kind) ?? other;
}

/** An engine whose machines can be persistent. */
interface PersistentEngine {
  /** The kind of the machines that own the disks. */
  readonly machine: Kind;
  readonly persistence: Persistence;
}

/** The engines whose machines can be persistent. */
export const PERSISTENT_ENGINES: readonly PersistentEngine[] = ENGINES.flatMap(({ kinds, persistence }) =>
  kinds === undefined || persistence === undefined ? [] : [{ machine: kinds.machine, persistence }],
);
