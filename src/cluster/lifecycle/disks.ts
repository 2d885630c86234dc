import type { KubernetesClient } from '../../host/api/client.ts';
import { writeGuarded } from '../../host/api/conflict.ts';
import { Kinds, type Kind } from '../../host/api/kinds.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import { hasStatus } from '../../host/api/api-error.ts';
import type { StepLog } from '../../report/log.ts';
import { DISK_KINDS, OWNER_KINDS } from '../engines/cluster-kinds.ts';
import { PERSISTENT_ENGINES } from '../engines/engines.ts';
import type { FleetCluster } from '../identity/fleet-cluster.ts';
import { Labels } from '../identity/identity.ts';
import { belongingToAny } from '../identity/cluster-handle.ts';

/** A Cluster that the caller has proved to be ours. */
export type OwnedCluster = Pick<FleetCluster, 'name' | 'uid' | 'server' | 'repositoryId'>;

/** Milliseconds by which a disk may seem older than its machine: API servers of one host may have different clocks. */
const CLOCK_TOLERANCE = 60_000;

/** The machine of a provider, with its disks. */
interface MachineWithDisks {
  readonly kind: Kind;
  readonly machine: KubernetesObject;
  /** The names of its disks. */
  readonly disks: readonly string[];
}

/** A machine of ours, with its Cluster. */
interface OwnedMachine extends MachineWithDisks {
  readonly cluster: OwnedCluster;
}

/**
 * Makes sure that the disks of machines are deleted with their machines: the provider creates them and forgets them.
 * While a machine of these clusters exists, its disks get a label with the uid of the Cluster, and the machine as their
 * owner. A disk with that label whose machine is gone is deleted; every other disk is left alone, whatever its name and
 * labels are. All clusters are of one namespace. Returns whether they have machines with disks, which may not exist yet.
 * Throws what RestClient throws.
 */
export async function tieDisks(
  client: KubernetesClient,
  namespace: string,
  clusters: readonly OwnedCluster[],
  log: StepLog,
): Promise<boolean> {
  if (clusters.length === 0) return false;
  const lists = DISK_KINDS.map(async (kind) => ({ kind, disks: await client.list(kind, { namespace }) }));
  const found = await Promise.all(lists);
  // Machines after disks: a machine that is not in this list is gone, and not one that was created in between.
  const machines = await listMachines(client, namespace);
  const owners = await findOwners(client, namespace, clusters, machines);
  const uids = new Set(machines.map(({ machine }) => machine.metadata.uid));
  for (const { kind, disks } of found) {
    for (const disk of disks) {
      const owner = owners.get(disk.metadata.name);
      if (owner !== undefined) await tie(client, kind, disk, owner, log);
      else if (isOrphan(disk, clusters, uids)) await remove(client, kind, disk, log);
    }
  }
  return owners.size > 0;
}

/** The machines of a namespace that may have disks, whichever engine has them. */
async function listMachines(client: KubernetesClient, namespace: string): Promise<readonly MachineWithDisks[]> {
  const lists = PERSISTENT_ENGINES.map(async ({ machine: kind, persistence }) => {
    const machines = await client.list(kind, { namespace });
    return machines.map((machine) => ({ kind, machine, disks: persistence.disksOf(machine) }));
  });
  return (await Promise.all(lists)).flat();
}

/** The machines of ours by the names of their disks. */
async function findOwners(
  client: KubernetesClient,
  namespace: string,
  clusters: readonly OwnedCluster[],
  machines: readonly MachineWithDisks[],
): Promise<ReadonlyMap<string, OwnedMachine>> {
  const withDisks = machines.filter(({ disks }) => disks.length > 0);
  if (withDisks.length === 0) return new Map();
  const selection = belongingToAny(
    namespace,
    clusters.map(({ name }) => name),
  );
  const parents = (await Promise.all(OWNER_KINDS.map((kind) => client.list<KubernetesObject>(kind, selection)))).flat();
  const byUid = new Map(parents.map((parent) => [parent.metadata.uid ?? '', parent]));
  return new Map(
    withDisks.flatMap((owner) => {
      const cluster = clusters.find(({ uid }) => descendsFrom(owner.machine, uid, byUid));
      if (cluster === undefined) return [];
      return owner.disks.map((disk) => [disk, { ...owner, cluster }] as const);
    }),
  );
}

/** Whether owner references lead from an object to the owner with that uid, through the objects in between. */
function descendsFrom(
  { metadata }: KubernetesObject,
  uid: string,
  byUid: ReadonlyMap<string, KubernetesObject>,
  generations = OWNER_KINDS.length,
): boolean {
  return (metadata.ownerReferences ?? []).some((owner) => {
    const parent = byUid.get(owner.uid);
    if (owner.uid === uid) return true;
    return parent !== undefined && generations > 0 && descendsFrom(parent, uid, byUid, generations - 1);
  });
}

/** Labels a disk as its machine's; a disk that may be somebody else's is left alone, with a line that says why. */
async function tie(
  client: KubernetesClient,
  kind: Kind,
  disk: KubernetesObject,
  { kind: { apiVersion, kind: ownerKind }, machine, cluster }: OwnedMachine,
  log: StepLog,
): Promise<void> {
  const { name: machineName, uid = '' } = machine.metadata;
  const labels = labelsOf(cluster);
  const write = async ({ metadata }: KubernetesObject): Promise<void> => {
    const { name, namespace = '', uid: diskUid, resourceVersion, ownerReferences = [] } = metadata;
    const isOwned = ownerReferences.some((owner) => owner.uid === uid);
    if (isOwned && metadata.labels?.[Labels.clusterUid] === cluster.uid) return;
    const doubt = doubtAbout(metadata, machine, cluster);
    if (doubt !== undefined) {
      log.line(`${kind.kind} ${name} is kept: ${doubt}`);
      return;
    }
    const owner = { apiVersion, kind: ownerKind, name: machineName, uid };
    // A merge patch replaces the list as a whole: only the one that was read.
    const owners = isOwned ? ownerReferences : [...ownerReferences, owner];
    const patch = { metadata: { uid: diskUid, resourceVersion, labels, ownerReferences: owners } };
    await client.patch(kind, name, namespace, patch);
  };
  await unlessGone(writeGuarded(client, kind, disk, write));
}

/** What says that a disk is ours, and whose it is when its Cluster is gone. */
function labelsOf({ name, uid, server, repositoryId }: OwnedCluster): Readonly<Record<string, string>> {
  return {
    [Labels.managed]: 'true',
    [Labels.clusterName]: name,
    [Labels.clusterUid]: uid,
    ...(server !== undefined && { [Labels.server]: server }),
    ...(repositoryId !== undefined && { [Labels.repositoryId]: repositoryId }),
  };
}

/** Why a disk that is named like a machine's may not be that machine's; undefined when it is. */
function doubtAbout(
  { name, labels = {}, ownerReferences = [], creationTimestamp = '' }: KubernetesObject['metadata'],
  machine: KubernetesObject,
  cluster: OwnedCluster,
): string | undefined {
  const { name: machineName, uid, creationTimestamp: machineCreated = '' } = machine.metadata;
  const label = [
    [Labels.clusterUid, cluster.uid],
    [Labels.clusterName, cluster.name],
  ].find(([key = '', value]) => (labels[key] ?? value) !== value);
  if (label !== undefined) return `its label ${label[0]} is not ${label[1]}`;
  const isDataVolume = (owner: { kind: string; name: string }): boolean =>
    owner.kind === Kinds.dataVolume.kind && owner.name === name;
  const other = ownerReferences.find((owner) => owner.uid !== uid && !isDataVolume(owner));
  if (other !== undefined) return `it belongs to ${other.kind} ${other.name}`;
  const isOlder = Date.parse(creationTimestamp) < Date.parse(machineCreated) - CLOCK_TOLERANCE;
  return isOlder ? `it is older than the machine ${machineName}` : undefined;
}

/** Whether a disk was tied to a machine of one of the clusters, and that machine is gone. */
function isOrphan(
  { metadata }: KubernetesObject,
  clusters: readonly OwnedCluster[],
  machines: ReadonlySet<string | undefined>,
): boolean {
  const { labels = {}, ownerReferences = [], deletionTimestamp } = metadata;
  if (deletionTimestamp !== undefined || labels[Labels.managed] !== 'true') return false;
  const isOurs = clusters.some(
    ({ name, uid }) => labels[Labels.clusterUid] === uid && labels[Labels.clusterName] === name,
  );
  return isOurs && !ownerReferences.some(({ uid }) => machines.has(uid));
}

async function remove(client: KubernetesClient, kind: Kind, disk: KubernetesObject, log: StepLog): Promise<void> {
  const { name, namespace, uid = '', resourceVersion = '' } = disk.metadata;
  const isDeleted = await client.delete(kind, name, namespace, { uid, resourceVersion }).catch((thrown: unknown) => {
    // It changed since it was looked at: the next look decides.
    if (hasStatus(thrown, 409)) return false;
    throw thrown;
  });
  if (isDeleted) log.line(`${kind.kind} ${name} is deleted: its machine is gone`);
}

async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (thrown) {
    if (!hasStatus(thrown, 404)) throw thrown;
  }
}
