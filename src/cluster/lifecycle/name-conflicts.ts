import { KnestError } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds, knownKind, type Kind } from '../../host/api/kinds.ts';
import type { KubernetesObject, OwnerReference } from '../../host/api/objects.ts';
import { hasStatus } from '../../host/api/api-error.ts';
import { retry } from '../../retry.ts';
import type { StepLog } from '../../report/log.ts';
import { mapConcurrently } from '../../values/concurrency.ts';
import { Annotations, Labels, type ClusterIdentity } from '../identity/identity.ts';
import { ENGINES } from '../engines/engines.ts';
import { SECRET_SUFFIXES } from '../lifecycle/secrets.ts';
import type { ClusterHandle } from '../identity/cluster-handle.ts';

/** How many requests run at once. */
const CONCURRENCY = 8;
/** How often the objects of an earlier cluster are looked for until they count as ones that stay: for about half a minute. */
const TRIES = 12;

/**
 * Looks whether an object that a create would make, or that the controllers make for it, exists already: it would be in
 * the way, or be taken for the new cluster's, with all that is in it. `objects`: those of a cluster that does not exist.
 * What an earlier cluster of that name left is waited for while it goes. Throws KNEST_OWNED_BY_OTHER, KNEST_TEMPLATE.
 */
export async function checkNamesFree(
  client: KubernetesClient,
  objects: readonly KubernetesObject[],
  identity: ClusterIdentity,
  log: StepLog,
  signal: AbortSignal,
): Promise<void> {
  const wanted = [...objects, ...madeByControllers(identity)];
  let isTold = false;
  const tryOnce = async (): Promise<void> => {
    const found = await mapConcurrently(wanted, CONCURRENCY, (object) => existingOf(client, object, identity));
    const existing = found.filter((object) => object !== undefined);
    const [first] = existing;
    if (first === undefined) return;
    for (const object of existing) if (!(await isGoing(client, object))) throw takenName(object, identity);
    if (!isTold) log.line(`${describe(first, identity)} is still being deleted; waiting until it is gone`);
    isTold = true;
    throw new StillGoing(first);
  };
  await retry(tryOnce, { signal, tries: TRIES, isRetried: (thrown) => thrown instanceof StillGoing }).catch(
    (thrown: unknown) => {
      throw thrown instanceof StillGoing ? takenName(thrown.object, identity) : thrown;
    },
  );
}

/** What is on its way out. */
class StillGoing extends Error {
  readonly object: KubernetesObject;

  constructor(object: KubernetesObject) {
    super(`${object.kind} ${object.metadata.name} is still there`);
    this.object = object;
  }
}

/** What the names of Services end with that one engine or another makes for a cluster. */
const SERVICE_SUFFIXES = new Set(ENGINES.flatMap(({ services }) => services));

/** The objects that controllers make under names that begin with the cluster's. */
function madeByControllers({ name }: ClusterHandle): readonly KubernetesObject[] {
  const named = ({ apiVersion, kind }: Kind, suffix: string): KubernetesObject => {
    return { apiVersion, kind, metadata: { name: `${name}${suffix}` } };
  };
  return [
    ...[...SERVICE_SUFFIXES].map((suffix) => named(Kinds.service, suffix)),
    ...SECRET_SUFFIXES.map((suffix) => named(Kinds.secret, suffix)),
  ];
}

/** What has an object's name on the host; nothing has it where the host does not serve the kind. */
async function existingOf(
  client: KubernetesClient,
  object: KubernetesObject,
  { namespace }: ClusterHandle,
): Promise<KubernetesObject | undefined> {
  const kind = knownKind(object) ?? (await client.discover(object));
  if (kind?.namespaced !== true) return undefined;
  const existing = await client.get(kind, object.metadata.name, namespace);
  return existing === undefined ? undefined : { ...existing, kind: object.kind };
}

/**
 * Whether an object is on its way out: it is being deleted, or will be as soon as the garbage collector sees that all its
 * owners are gone.
 */
export async function isGoing(client: KubernetesClient, { metadata }: KubernetesObject): Promise<boolean> {
  const { deletionTimestamp, ownerReferences = [], namespace } = metadata;
  if (deletionTimestamp !== undefined) return true;
  for (const owner of ownerReferences) if (await exists(client, owner, namespace)) return false;
  return ownerReferences.length > 0;
}

/** Whether an owner exists; one that these credentials may not look at does. */
async function exists(
  client: KubernetesClient,
  { apiVersion = '', kind: ownerKind, name, uid }: OwnerReference,
  namespace: string | undefined,
): Promise<boolean> {
  const kind = await client.discover({ apiVersion, kind: ownerKind });
  if (kind === undefined) return false;
  try {
    return (await client.get(kind, name, namespace))?.metadata.uid === uid;
  } catch (thrown) {
    if (hasStatus(thrown, 403)) return true;
    throw thrown;
  }
}

/** The error for an object that has a name that the cluster needs. */
export function takenName(existing: KubernetesObject, identity: ClusterHandle): KnestError {
  const name = describe(existing, identity);
  const owner = ownerOf(existing);
  if (existing.metadata.name.startsWith(identity.name)) {
    return new KnestError({
      code: 'KNEST_OWNED_BY_OTHER',
      problem: `${name} exists already, and belongs to ${owner}`,
      next: 'choose another name for the cluster, or delete the object by hand if nobody needs it',
    });
  }
  return new KnestError({
    code: 'KNEST_TEMPLATE',
    problem: `the template has ${name}, which exists already and belongs to ${owner}`,
    next: 'put ${CLUSTER_NAME} in its name, or remove it from the template and apply it once by hand',
  });
}

function describe({ kind, metadata }: KubernetesObject, { namespace }: ClusterHandle): string {
  return `${kind} ${namespace}/${metadata.name}`;
}

/** Whose an object is, as far as it says. */
function ownerOf({ metadata }: KubernetesObject): string {
  const { labels = {}, annotations = {}, ownerReferences = [] } = metadata;
  const cluster = labels[Labels.clusterName];
  const repository = annotations[Annotations.repository] ?? labels[Labels.repositoryId];
  const [owner] = ownerReferences;
  if (cluster !== undefined) return `the cluster ${cluster}${repository === undefined ? '' : ` of ${repository}`}`;
  return owner === undefined ? 'something that this action did not create' : `${owner.kind} ${owner.name}`;
}

/**
 * Checks that the host serves all objects of a template that is not the action's own, and that none would outlive the
 * cluster. Throws KNEST_TEMPLATE.
 */
export async function checkServedObjects(
  client: KubernetesClient,
  objects: readonly KubernetesObject[],
): Promise<void> {
  for (const object of objects) {
    const kind = await client.discover(object);
    if (kind === undefined) {
      throw new KnestError({
        code: 'KNEST_TEMPLATE',
        problem: `the template has a ${object.kind} of ${object.apiVersion}, which the host does not serve`,
        next: 'set infrastructure to the provider that installs it, for example openstack:v0.14.5',
      });
    }
    if (!kind.namespaced) {
      throw new KnestError({
        code: 'KNEST_TEMPLATE',
        problem: `the template has ${object.kind} ${object.metadata.name}, which is cluster-scoped and would remain after the cluster is deleted`,
        next: 'remove it from the template, and apply it once by hand',
      });
    }
  }
}
