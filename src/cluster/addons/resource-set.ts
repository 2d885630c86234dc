import { inputError } from '../../errors.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import type { Cni } from './cni.ts';
import { Labels, type ClusterIdentity } from '../identity/identity.ts';
import { withOwner } from '../identity/owner-labels.ts';

/** What the name of the set has after that of its cluster. */
export const CNI_SUFFIX = '-cni';

/** Bytes of objects in one Secret: Kubernetes takes 1 MiB (core/v1 MaxSecretSize). */
const ROOM = 900_000;

/**
 * A ClusterResourceSet that installs a CNI in a nested cluster, with the Secrets that hold its objects.
 *
 * A set, and not an apply by this job: Cluster API applies it as soon as the nested API server answers, from inside the
 * host, so it needs no way from the runner into the nested cluster, works with `wait-for: none`, and is tried again
 * after the job is lost. It hangs on the Cluster like everything else and goes with it. It is applied once: what a
 * step changes in the nested cluster afterwards stays. Secrets, and not ConfigMaps: a manifest may have Secrets in it.
 * Nothing for a CNI that has no objects. Throws KNEST_INPUT for an object that fits no Secret.
 */
export function resourceSet({ objects }: Cni, identity: ClusterIdentity): readonly KubernetesObject[] {
  if (objects.length === 0) return [];
  const name = `${identity.name}${CNI_SUFFIX}`;
  const secrets = portions(objects).map((text, index) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: index === 0 ? name : `${name}-${index + 1}` },
    // The one type that Cluster API reads. Source: api/addons/v1beta2/clusterresourceset_types.go.
    type: 'addons.cluster.x-k8s.io/resource-set',
    data: { objects: Buffer.from(text).toString('base64') },
  }));
  const set = {
    apiVersion: Kinds.clusterResourceSet.apiVersion,
    kind: Kinds.clusterResourceSet.kind,
    metadata: { name },
    spec: {
      strategy: 'ApplyOnce',
      clusterSelector: { matchLabels: { [Labels.clusterName]: identity.name } },
      resources: secrets.map((secret) => ({ kind: 'Secret', name: secret.metadata.name })),
    },
  };
  return [...secrets, set].map((object) => withOwner(object, identity));
}

/** The objects as JSON lists that each fit a Secret, in their order. */
function portions(objects: readonly KubernetesObject[]): readonly string[] {
  const lists: { texts: string[]; bytes: number }[] = [];
  for (const object of objects) {
    const text = JSON.stringify(object);
    const bytes = Buffer.byteLength(text) + 1;
    if (bytes > ROOM) {
      const { kind, metadata } = object;
      throw inputError([`cni: ${kind} ${metadata.name} has ${bytes} bytes; a Secret holds at most ${ROOM}`]);
    }
    const last = lists.at(-1);
    if (last === undefined || last.bytes + bytes > ROOM) lists.push({ texts: [text], bytes });
    else {
      last.texts.push(text);
      last.bytes += bytes;
    }
  }
  return lists.map(({ texts }) => `[${texts.join(',')}]`);
}
