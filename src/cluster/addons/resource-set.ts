import { inputError } from '../../errors.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { ClusterResourceSet } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import { Annotations, Labels, type ClusterIdentity } from '../identity/identity.ts';
import { withOwner } from '../identity/owner-labels.ts';
import { inCreationOrder } from './creation-order.ts';
import type { Manifest } from './manifest.ts';

/** What the names of Secrets have after that of their cluster, by the input that the objects in them are from. */
const SUFFIXES = { cni: '-cni', addons: '-addons', registry: '-registry' } as const;

/** The same as a list. */
export const RESOURCE_SUFFIXES: readonly string[] = Object.values(SUFFIXES);

/** Bytes of objects in one Secret: Kubernetes takes 1 MiB (core/v1 MaxSecretSize). */
const ROOM = 1_000_000;
/** Objects in one Secret: their keys have three digits, since Cluster API reads them in alphabetical order. */
const MOST_KEYS = 1000;

/** What is installed in a nested cluster, by the inputs that ask for it. */
export interface Installed {
  readonly cni: Manifest;
  readonly addons: Manifest;
}

/** The add-ons of a cluster that has none, for people. */
export const NO_ADDONS = 'none';

/** What is installed, as a part of a sentence. */
export function describeInstalled({ cni, addons }: Installed): string {
  return `CNI: ${cni.description}${addons.objects.length === 0 ? '' : `; add-ons: ${addons.description}`}`;
}

/**
 * A ClusterResourceSet that installs a CNI and add-ons in a nested cluster, with the Secrets that hold their objects: each
 * object has its own key, since Cluster API sorts what is under one key.
 *
 * A set, and not an apply by this job: Cluster API applies it as soon as the nested API server answers, from inside the
 * host, so it needs no way from the runner into the nested cluster, works with `wait-for: none`, and is tried again
 * after the job is lost. It hangs on the Cluster like everything else and goes with it. It is applied once: what a
 * step changes in the nested cluster afterwards stays. Secrets, and not ConfigMaps: a manifest may have Secrets in it.
 * One set for both, since several for a cluster all write its ClusterResourceSetBinding: an entry may get lost, and its
 * objects be applied once more, where those that are there stay as they are.
 * Nothing when there are no objects. Throws KNEST_INPUT for an object that fits no Secret.
 */
export function resourceSet(installed: Installed, identity: ClusterIdentity): readonly KubernetesObject[] {
  const { cni, addons } = installed;
  const secrets = [...secretsOf('cni', cni, identity), ...secretsOf('addons', addons, identity)];
  return setOf(setName(identity.name), secrets, identity, { [Annotations.addons]: addons.description });
}

/** The same for the objects of a registry, which are known when the port in the job is: after the others. */
export function registrySet(
  objects: readonly KubernetesObject[],
  identity: ClusterIdentity,
): readonly KubernetesObject[] {
  return setOf(`${identity.name}${SUFFIXES.registry}`, secretsOf('registry', { objects }, identity), identity);
}

function setOf(
  name: string,
  secrets: readonly KubernetesObject[],
  identity: ClusterIdentity,
  annotations: Readonly<Record<string, string>> = {},
): readonly KubernetesObject[] {
  if (secrets.length === 0) return [];
  const set = {
    apiVersion: Kinds.clusterResourceSet.apiVersion,
    kind: Kinds.clusterResourceSet.kind,
    metadata: { name, annotations },
    spec: {
      strategy: 'ApplyOnce',
      clusterSelector: { matchLabels: { [Labels.clusterName]: identity.name } },
      resources: secrets.map((secret) => ({ kind: 'Secret', name: secret.metadata.name })),
    },
  };
  return [...secrets, set].map((object) => withOwner(object, identity));
}

/** The name of the set of a cluster. */
export function setName(cluster: string): string {
  return `${cluster}${SUFFIXES.addons}`;
}

/** Whether a set installs the CNI of its cluster. */
export function hasCni({ spec }: ClusterResourceSet, cluster: string): boolean {
  return (spec?.resources ?? []).some(({ name }) => name === `${cluster}${SUFFIXES.cni}`);
}

/** The add-ons that a set installs, for people; undefined where a version of the action made it that did not say. */
export function addonsOf({ metadata }: KubernetesObject): string | undefined {
  return metadata.annotations?.[Annotations.addons];
}

function secretsOf(
  input: keyof typeof SUFFIXES,
  { objects }: Pick<Manifest, 'objects'>,
  { name: cluster }: ClusterIdentity,
): readonly KubernetesObject[] {
  const name = `${cluster}${SUFFIXES[input]}`;
  return portions(input, inCreationOrder(objects)).map((texts, index) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: index === 0 ? name : `${name}-${index + 1}` },
    // The one type that Cluster API reads. Source: api/addons/v1beta2/clusterresourceset_types.go.
    type: 'addons.cluster.x-k8s.io/resource-set',
    data: Object.fromEntries(
      texts.map((text, key) => [String(key).padStart(3, '0'), Buffer.from(text).toString('base64')]),
    ),
  }));
}

/** The objects as JSON, in portions that each fit a Secret, in their order. */
function portions(input: string, objects: readonly KubernetesObject[]): readonly (readonly string[])[] {
  const all: { texts: string[]; bytes: number }[] = [];
  for (const object of objects) {
    const text = JSON.stringify(object);
    const bytes = Buffer.byteLength(text);
    if (bytes > ROOM) {
      const { kind, metadata } = object;
      throw inputError([`${input}: ${kind} ${metadata.name} has ${bytes} bytes; a Secret holds at most ${ROOM}`]);
    }
    const last = all.at(-1);
    if (last === undefined || last.bytes + bytes > ROOM || last.texts.length === MOST_KEYS) {
      all.push({ texts: [text], bytes });
    } else {
      last.texts.push(text);
      last.bytes += bytes;
    }
  }
  return all.map(({ texts }) => texts);
}
