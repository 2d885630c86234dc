import type { KubernetesClient } from '../host/client.ts';
import { Kinds, type Kind } from '../host/kinds.ts';
import type { KubernetesObject, VirtinkMachine } from '../host/objects.ts';
import { unlessForbidden } from '../host/preflight.ts';
import { hasStatus } from '../host/rest.ts';
import { Labels } from './identity.ts';
import { belongingToAny } from './view.ts';

/** A disk is a PersistentVolumeClaim, and as long as CDI keeps it a DataVolume of the same name. */
const DISK_KINDS: readonly Kind[] = [Kinds.dataVolume, Kinds.persistentVolumeClaim];

/**
 * Sees to it that the disks of persistent machines go with their machines: the provider makes them and forgets them.
 * A disk whose machine is there gets its cluster's label and the machine for its owner, so that it is deleted with it;
 * one whose machine has gone before is deleted. `names`: clusters of the namespace.
 */
export async function tieDisks(
  client: KubernetesClient,
  namespace: string,
  ...names: readonly string[]
): Promise<void> {
  if (names.length === 0) return;
  const listed = await unlessForbidden(client.list(Kinds.virtinkMachine, belongingToAny(namespace, names)), []);
  const machines = listed.filter((machine) => names.includes(clusterOf(machine)));
  const owners = new Map(machines.flatMap((machine) => diskNames(machine).map((disk) => [disk, machine] as const)));
  for (const kind of DISK_KINDS) {
    for (const disk of await unlessForbidden(client.list(kind, { namespace }), [])) {
      const machine = owners.get(disk.metadata.name);
      if (machine !== undefined) await tie(client, kind, disk, machine);
      else if (names.some((name) => isOrphan(disk, name))) await client.delete(kind, disk.metadata.name, namespace);
    }
  }
}

/** The cluster of a machine that was selected by it. */
function clusterOf({ metadata }: VirtinkMachine): string {
  return metadata.labels?.[Labels.clusterName] ?? '';
}

/** The provider's names for them. Source: cluster-api-provider-virtink v0.7.0, buildDataVolumes. */
function diskNames({ metadata, spec }: VirtinkMachine): readonly string[] {
  return (spec?.volumeTemplates ?? []).map(({ dataVolume }) => `${metadata.name}-${dataVolume?.metadata?.name ?? ''}`);
}

/**
 * Whether a disk without a machine was one of the cluster's: by its label, or by the name it has from our template and
 * from Cluster API, which gives machines five random letters, and those of a MachineDeployment twice. Another cluster's
 * disk never has such a name, whatever the cluster is called: what follows its machine's letters is another.
 */
function isOrphan({ metadata }: KubernetesObject, name: string): boolean {
  const letters = '-[a-z0-9]{5}';
  const ofOurTemplate = new RegExp(`^${name}-(cp${letters}|md-0${letters}${letters})-rootfs$`);
  return metadata.labels?.[Labels.clusterName] === name || ofOurTemplate.test(metadata.name);
}

async function tie(
  client: KubernetesClient,
  kind: Kind,
  { metadata }: KubernetesObject,
  machine: VirtinkMachine,
): Promise<void> {
  const { name, namespace = '', resourceVersion, ownerReferences = [] } = metadata;
  const { uid = '' } = machine.metadata;
  if (ownerReferences.some((owner) => owner.uid === uid)) return;
  const { apiVersion, kind: ownerKind } = Kinds.virtinkMachine;
  const owner = { apiVersion, kind: ownerKind, name: machine.metadata.name, uid };
  // A merge patch replaces the list as a whole: only the one that was read.
  const labels = { [Labels.clusterName]: clusterOf(machine) };
  const body = { metadata: { resourceVersion, labels, ownerReferences: [...ownerReferences, owner] } };
  try {
    await client.patch(kind, name, namespace, body);
  } catch (thrown) {
    if (hasStatus(thrown, 404)) return;
    if (!hasStatus(thrown, 409)) throw thrown;
    const current = await client.get(kind, name, namespace);
    if (current !== undefined) await tie(client, kind, current, machine);
  }
}
