import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from './objects.ts';

/** The objects of a manifest of several YAML documents; empty documents are left out. Throws a YAML error with its line. */
export function parseManifest(text: string): readonly KubernetesObject[] {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return [];
  return documents
    .map((document) => {
      const [error] = document.errors;
      if (error !== undefined) throw error;
      return document.toJS() as KubernetesObject | null;
    })
    .filter((object) => object !== null);
}
