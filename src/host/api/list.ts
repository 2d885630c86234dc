import { KnestError } from '../../errors.ts';
import { hasStatus } from './api-error.ts';
import type { Kind } from './kinds.ts';
import type { KubernetesObject } from './objects.ts';
import { pathOf, query, type Selection } from './paths.ts';
import type { RestClient } from './rest.ts';

/** Objects in one page of a list, as kubectl has it: a hundred of them are about a megabyte. */
const PAGE_SIZE = '500';
/** Pages of one list: half a million objects, more than an API server holds of a kind. */
const MOST_PAGES = 1_000;

/** What a server has of a kind; `resourceVersion`: to watch from, undefined when the kind is not served. */
export interface Listed<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string | undefined;
}

interface Page {
  readonly limit?: string;
  readonly continue?: string;
}

interface ObjectList<T> {
  readonly items: readonly T[] | null;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
}

/**
 * Lists all objects selected, page by page, of one and the same moment; when that is too long ago for the server, all at
 * once. Throws KNEST_HOST_REQUEST when the pages have no end.
 */
export async function listAll<T extends KubernetesObject>(
  rest: RestClient,
  kind: Kind<T>,
  selection: Selection,
): Promise<Listed<T>> {
  const items: T[] = [];
  const pages = new Set<string>();
  let page: Page = { limit: PAGE_SIZE };
  while (pages.size < MOST_PAGES) {
    try {
      const list = await rest.json<ObjectList<T>>({
        method: 'GET',
        path: pathOf(kind, selection.namespace) + query({ ...selection, ...page }),
      });
      items.push(...(list.items ?? []));
      const { resourceVersion = '0', continue: next = '' } = list.metadata ?? {};
      if (next === '') return { items, resourceVersion };
      if (pages.has(next)) throw endlessList(kind, 'the same page twice');
      pages.add(next);
      page = { ...page, continue: next };
    } catch (thrown) {
      if (hasStatus(thrown, 404)) return { items: [], resourceVersion: undefined };
      // Only from pages to all at once, and never back.
      if (page.limit === undefined || page.continue === undefined || !hasStatus(thrown, 410)) throw thrown;
      items.length = 0;
      page = {};
    }
  }
  throw endlessList(kind, `more than ${MOST_PAGES} pages`);
}

function endlessList({ plural }: Kind, what: string): KnestError {
  return new KnestError({
    code: 'KNEST_HOST_REQUEST',
    problem: `the list of ${plural} has no end: the server returns ${what}`,
    next: 'check for a proxy in front of the API server: it may change or repeat responses',
  });
}
