import type { Kind } from './kinds.ts';

/** Which objects of a kind. */
export interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** The path of an API version, as of a group's discovery. */
export function rootOf(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** The path of a collection, or of one object when it has a name. */
export function pathOf(kind: Kind, namespace?: string, name?: string): string {
  const scope = kind.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${rootOf(kind.apiVersion)}${scope}/${kind.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}

/** The query string of the parameters that are set, with its question mark; blank when none is. */
export function query(parameters: object): string {
  const search = new URLSearchParams(
    // The namespace of a selection is part of the path.
    Object.entries(parameters as Record<string, string | undefined>).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && entry[0] !== 'namespace',
    ),
  ).toString();
  return search === '' ? '' : `?${search}`;
}
