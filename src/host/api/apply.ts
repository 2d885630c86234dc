import { mapConcurrently, together } from '../../values/concurrency.ts';
import type { KubernetesClient } from './client.ts';
import { groupOf, groupOfDefinition, Kinds } from './kinds.ts';
import { conditionOf, type CustomResourceDefinition, type KubernetesObject } from './objects.ts';
import { watchTarget, watchUntil } from './watch.ts';

/** How many requests run at once. */
const CONCURRENCY = 8;

/**
 * Applies the objects of a manifest: namespaces, then definitions, then all else side by side, and objects of the kinds
 * that it defines once those are served. Not before: a definition with a conversion webhook is only served when
 * cert-manager has given it the certificate that comes with the rest (Kubernetes 1.31 and newer). Throws what RestClient
 * throws, at the first object that is refused. `force`: for objects of this action alone, whose fields it takes over.
 */
export async function applyAll(
  client: KubernetesClient,
  objects: readonly KubernetesObject[],
  signal: AbortSignal,
  force = false,
): Promise<void> {
  const isNamespace = ({ kind }: KubernetesObject): boolean => kind === 'Namespace';
  const isDefinition = ({ kind }: KubernetesObject): boolean => kind === 'CustomResourceDefinition';
  const definitions = objects.filter(isDefinition);
  const groups = new Set(definitions.map(({ metadata }) => groupOfDefinition(metadata.name)));
  const isDefined = (object: KubernetesObject): boolean => groups.has(groupOf(object));
  const others = objects.filter((object) => !isNamespace(object) && !isDefinition(object));
  await applyEach(client, objects.filter(isNamespace), force);
  await applyEach(client, definitions, force);
  await applyEach(
    client,
    others.filter((object) => !isDefined(object)),
    force,
  );
  await established(client, definitions, signal);
  await applyEach(client, others.filter(isDefined), force);
}

/** Rejects once nothing is under way any more: who then deletes what was made must not have more made behind its back. */
async function applyEach(
  client: KubernetesClient,
  objects: readonly KubernetesObject[],
  force: boolean,
): Promise<void> {
  await mapConcurrently(objects, CONCURRENCY, (object) => client.apply(object, force));
}

async function established(
  client: KubernetesClient,
  definitions: readonly KubernetesObject[],
  signal: AbortSignal,
): Promise<void> {
  await together(
    definitions.map(({ metadata: { name } }) => (stop) => {
      const target = watchTarget(Kinds.customResourceDefinition, { fieldSelector: `metadata.name=${name}` });
      const isServed = (definition: CustomResourceDefinition | undefined): boolean =>
        conditionOf(definition, 'Established')?.status === 'True';
      return watchUntil(client, [target], () => isServed(target.objects.get(name)) || undefined, stop);
    }),
    signal,
  );
}
