import type { KubernetesClient } from '../../host/api/client.ts';
import { isConflict } from '../../host/api/conflict.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import { retry } from '../../retry.ts';
import { mapConcurrently } from '../../values/concurrency.ts';
import { isGoing, takenName } from './name-conflicts.ts';
import type { ClusterHandle } from '../identity/cluster-handle.ts';

/** How many requests run at once. */
const CONCURRENCY = 8;
/** How often an object is tried to be created while an older one of its name is being deleted: for about half a minute. */
const TRIES = 12;

/**
 * Creates what is missing of the objects that belong to a claimed Cluster, owned by it, so that they are deleted with
 * it. Resolves how many it created.
 *
 * An object is only ever created, never applied over another: one that belongs to this Cluster is left as it is, and
 * anything else of the same name is refused. That makes it safe to repeat for a cluster whose job was lost half-way, also
 * while that job still works: each object exists once, from whichever of them came first, and both make the same ones
 * (judgeExisting). An adopted cluster that was finished gets nothing from here, so that what its users removed on
 * purpose, its CNI for one, stays away. Throws KNEST_OWNED_BY_OTHER, KNEST_TEMPLATE, and what RestClient throws.
 */
export async function createDependents(
  client: KubernetesClient,
  objects: readonly KubernetesObject[],
  cluster: Cluster,
  identity: ClusterHandle,
  signal: AbortSignal,
): Promise<number> {
  const { apiVersion, kind } = Kinds.cluster; // whatever version the template has
  const { name, uid = '' } = cluster.metadata;
  const ownerReferences = [{ apiVersion, kind, name, uid }];
  const createAll = (some: readonly KubernetesObject[]): Promise<readonly boolean[]> =>
    mapConcurrently(some, CONCURRENCY, (object) =>
      createDependent(client, { ...object, metadata: { ...object.metadata, ownerReferences } }, uid, identity, signal),
    );
  // Cluster API counts a set as applied, though a Secret of it does not exist yet.
  const isSet = ({ kind }: KubernetesObject): boolean => kind === Kinds.clusterResourceSet.kind;
  const created = [
    ...(await createAll(objects.filter((object) => !isSet(object)))),
    ...(await createAll(objects.filter(isSet))),
  ];
  return created.filter((isCreated) => isCreated).length;
}

/** Resolves whether the object was created: one that belongs to the Cluster already is left as it is. */
async function createDependent(
  client: KubernetesClient,
  object: KubernetesObject,
  uid: string,
  identity: ClusterHandle,
  signal: AbortSignal,
): Promise<boolean> {
  const kind = await client.kindOf(object);
  let last: KubernetesObject | undefined;
  const tryOnce = async (): Promise<boolean> => {
    let conflict: unknown;
    try {
      await client.create(kind, object);
      return true;
    } catch (thrown) {
      if (!isConflict(thrown)) throw thrown;
      conflict = thrown;
    }
    last = await client.get(kind, object.metadata.name, object.metadata.namespace);
    if (last?.metadata.ownerReferences?.some((owner) => owner.uid === uid)) return false;
    if (last !== undefined && !(await isGoing(client, last))) throw takenName(last, identity);
    throw conflict;
  };
  return retry(tryOnce, { signal, isRetried: isConflict, tries: TRIES }).catch((thrown: unknown) => {
    throw last !== undefined && isConflict(thrown) ? takenName(last, identity) : thrown;
  });
}
