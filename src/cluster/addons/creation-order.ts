import { isOfKind, Kinds, type Kind } from '../../host/api/kinds.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';

/** What other objects of a manifest need before they can be created. */
const FIRST: readonly Kind[] = [Kinds.namespace, Kinds.customResourceDefinition];

/** The objects with Namespaces and CustomResourceDefinitions first, and the rest in its order. */
export function inCreationOrder(objects: readonly KubernetesObject[]): readonly KubernetesObject[] {
  const rank = (object: KubernetesObject): number => {
    const found = FIRST.findIndex((kind) => isOfKind(object, kind));
    return found === -1 ? FIRST.length : found;
  };
  return objects.toSorted((one, other) => rank(one) - rank(other)); // stable
}
