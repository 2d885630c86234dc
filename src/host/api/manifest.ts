import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from './objects.ts';

/**
 * What is wrong with a document that is valid YAML. The message has its number, empty documents not counted, as
 * clusterctl leaves them out too, and quotes no value of it.
 */
export class ManifestError extends Error {}

/** What a manifest may hold, before anything is certain of it. */
interface Candidate {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly metadata?: unknown;
  readonly items?: unknown;
}

/**
 * The objects of a manifest of several YAML documents, those of a `kind: List` among them, as kubectl reads it; empty
 * documents are left out. Throws a YAML error with its line, and a ManifestError for what is not an object with a name.
 */
export function parseManifest(text: string): readonly KubernetesObject[] {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return [];
  const values = documents.map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS() as unknown;
  });
  const filled = values.filter((value) => value !== null);
  return filled.flatMap((value, index) => objectsIn(value, `document ${index + 1}`));
}

/** The objects that a value stands for: itself, or the items of a list. `place`: where it is, for people. */
function objectsIn(value: unknown, place: string): readonly KubernetesObject[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const what = value === null ? 'empty' : `a ${Array.isArray(value) ? 'list' : typeof value}`;
    throw new ManifestError(`${place} is ${what}, not an object`);
  }
  const { kind, items }: Candidate = value;
  // Source: k8s.io/apimachinery pkg/apis/meta/v1/unstructured/helpers.go, detectList.
  if (Array.isArray(items) && typeof kind === 'string' && kind.endsWith('List')) {
    return items.flatMap((item: unknown, index) => objectsIn(item, `item ${index + 1} of ${place}`));
  }
  const lack = lackOf(value);
  if (lack !== undefined) throw new ManifestError(`${place}${titleOf(kind)} ${lack}`);
  return [value as KubernetesObject];
}

function titleOf(kind: unknown): string {
  return typeof kind === 'string' && /^\w+$/.test(kind) ? ` (${kind})` : '';
}

/** What an object lacks that every object must have. */
function lackOf({ apiVersion, kind, metadata }: Candidate): string | undefined {
  if (!isText(apiVersion)) return 'has no apiVersion';
  if (!isText(kind)) return 'has no kind';
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return 'has no metadata';
  const { name, generateName }: { readonly name?: unknown; readonly generateName?: unknown } = metadata;
  if (isText(name)) return undefined;
  return isText(generateName) ? 'has a generateName; it must have a fixed name' : 'has no metadata.name';
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
