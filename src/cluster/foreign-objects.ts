import { KnestError } from '../errors.ts';
import type { KubernetesClient } from '../host/client.ts';
import type { Kind } from '../host/kinds.ts';
import type { KubernetesObject } from '../host/objects.ts';
import { Annotations, Labels, type ClusterIdentity } from './identity.ts';

/**
 * Looks whether the objects of a template that is not the action's own can be applied without touching anybody else's.
 * Throws KNEST_TEMPLATE for what the host does not serve, what would outlive the cluster since it is in no namespace,
 * and what is there already and belongs to something else.
 */
export async function checkForeignObjects(
  client: KubernetesClient,
  objects: readonly KubernetesObject[],
  identity: ClusterIdentity,
): Promise<void> {
  for (const object of objects) {
    const kind = await servedKind(client, object);
    const name = `${object.kind} ${object.metadata.name}`;
    if (!kind.namespaced) {
      throw refusal(
        `${name}, which belongs to no namespace and would stay when the cluster goes`,
        'take it out of the template, and apply it once by hand',
      );
    }
    const existing = await client.get(kind, object.metadata.name, identity.namespace);
    const owner = existing && otherOwner(existing, identity);
    if (owner !== undefined) {
      throw refusal(
        `${name}, which is in ${identity.namespace} already and belongs to ${owner}`,
        'give it a name with ${CLUSTER_NAME} in it, or apply it once by hand and take it out of the template',
      );
    }
  }
}

async function servedKind(client: KubernetesClient, object: KubernetesObject): Promise<Kind> {
  const kind = await client.discover(object);
  if (kind !== undefined) return kind;
  throw refusal(
    `a ${object.kind} of ${object.apiVersion}, which the host does not serve`,
    'set infrastructure to the provider that brings it, for example kubevirt:v0.11.2',
  );
}

/** Whose an object is; undefined when it is the cluster's own, from an earlier try of this repository. */
function otherOwner({ metadata }: KubernetesObject, { name, owner }: ClusterIdentity): string | undefined {
  const { labels = {}, annotations = {} } = metadata;
  const cluster = labels[Labels.clusterName];
  if (labels[Labels.repositoryId] !== owner[Labels.repositoryId]) {
    return annotations[Annotations.repository] ?? 'somebody who did not make it by this action';
  }
  return cluster === name ? undefined : `the cluster ${cluster ?? 'of another template'}`;
}

function refusal(what: string, next: string): KnestError {
  return new KnestError({ code: 'KNEST_TEMPLATE', problem: `the template has ${what}`, next });
}
