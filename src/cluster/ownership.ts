import { KnestError } from '../errors.ts';
import type { KubernetesClient } from '../host/client.ts';
import { Kinds } from '../host/kinds.ts';
import type { Cluster } from '../host/objects.ts';
import { Annotations, repositoryLabels, type RepositoryIdentity } from './identity.ts';
import type { ClusterHandle } from './view.ts';

/** Labels that prove a cluster to be one that may be changed. */
export type Proof = Readonly<Record<string, string>>;

/** What proves a cluster to be the repository's: any job of it may scale and delete it, that is what a handle is for. */
export function proofOfRepository(repository: RepositoryIdentity): Proof {
  return repositoryLabels(repository);
}

/** Throws KNEST_OWNED_BY_OTHER when a label of the proof is not on the cluster. `verb`: what is not done to it. */
export function checkOwner({ metadata }: Cluster, proof: Proof, verb: string): void {
  const { name, namespace = '', labels = {}, annotations = {} } = metadata;
  const missing = Object.entries(proof).find(([label, value]) => labels[label] !== value);
  if (missing === undefined) return;
  const [label, value] = missing;
  const owner = annotations[Annotations.repository];
  throw new KnestError({
    code: 'KNEST_OWNED_BY_OTHER',
    problem: `Cluster ${namespace}/${name} is not ${verb}: ${label} is ${labels[label] ?? 'missing'}, not ${value}`,
    evidence: [
      owner === undefined ? 'it names no owner' : `it belongs to ${owner}: ${annotations[Annotations.runUrl] ?? ''}`,
    ],
    next: `have it ${verb} from where it was created`,
  });
}

/** The repository's cluster of that name. Throws KNEST_NOT_FOUND, KNEST_OWNED_BY_OTHER. */
export async function findOwned(
  client: KubernetesClient,
  { name, namespace }: ClusterHandle,
  repository: RepositoryIdentity,
): Promise<Cluster> {
  const cluster = await client.get(Kinds.cluster, name, namespace);
  if (cluster === undefined) {
    throw new KnestError({
      code: 'KNEST_NOT_FOUND',
      problem: `there is no cluster ${namespace}/${name}`,
      next: 'check name and namespace: both are outputs of the create that made it',
    });
  }
  checkOwner(cluster, proofOfRepository(repository), 'used');
  return cluster;
}
