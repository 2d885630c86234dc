import { pathOf } from '../../src/host/api/paths.ts';
import { Kinds, type Kind } from '../../src/host/api/kinds.ts';
import type { KubernetesObject, Metadata } from '../../src/host/api/objects.ts';
import { refusal, type Answer, type Received } from './api-server.ts';

/** Objects as an API server keeps them: with uid and resource version, guarded writes, and a garbage collector. */
export class ObjectStore {
  readonly #objects = new Map<string, KubernetesObject>();
  #writes = 0;

  /** Every object of a kind. */
  of<T extends KubernetesObject>(kind: Kind<T>): readonly T[] {
    return [...this.#objects.values()].filter((object): object is T => object.kind === kind.kind);
  }

  /** The object of that kind and name, in the namespace of the tests. */
  find<T extends KubernetesObject>(kind: Kind<T>, name: string): T | undefined {
    return this.of(kind).find(({ metadata }) => metadata.name === name);
  }

  /** Puts an object there, as somebody else would. Returns it as it is kept. */
  put(object: KubernetesObject): KubernetesObject {
    const kind = kindOf(object);
    const metadata = { namespace: 'knest', uid: `uid-${++this.#writes}`, ...object.metadata };
    return this.#keep(pathOf(kind, metadata.namespace, metadata.name), { ...object, metadata });
  }

  /** The answer to a request about kinds that the action knows; undefined for any other. */
  answer({ method, path, body }: Received): Answer | undefined {
    const [collection = '', search = ''] = decodeURIComponent(path).split('?');
    const kind = Object.values<Kind>(Kinds).find((one) => isOf(one, collection));
    if (kind === undefined) return undefined;
    const isCollection = collection.endsWith(`/${kind.plural}`);
    if (search.includes('dryRun=All')) return { status: 200, body: body as KubernetesObject };
    switch (method) {
      case 'GET':
        return isCollection ? this.#list(kind, collection, new URLSearchParams(search)) : this.#get(collection);
      case 'POST':
        return this.#create(collection, body as KubernetesObject);
      case 'PATCH':
        return this.#patch(collection, body as KubernetesObject, search.includes('force=true'));
      case 'DELETE':
        return this.#delete(collection, (body as { readonly preconditions?: Partial<Metadata> }).preconditions ?? {});
      default:
        return undefined;
    }
  }

  #get(path: string): Answer {
    const object = this.#objects.get(path);
    return object === undefined ? missing(path) : { status: 200, body: object };
  }

  #list(listed: Kind, collection: string, search: URLSearchParams): Answer {
    // A watch has nothing to tell.
    if (search.get('watch') !== null) return 'silence';
    const { apiVersion, kind } = listed;
    const isEverywhere = collection === pathOf(listed);
    const selected = [...this.#objects].filter(
      ([path, object]) =>
        (isEverywhere ? object.kind === kind : path.startsWith(`${collection}/`)) && isSelected(object, search),
    );
    const items = selected.map(([, object]) => object);
    return { status: 200, body: { apiVersion, kind: `${kind}List`, metadata: { resourceVersion: '1' }, items } };
  }

  #create(collection: string, object: KubernetesObject): Answer {
    const path = `${collection}/${object.metadata.name}`;
    if (this.#objects.has(path)) return refusal(409, 'AlreadyExists', `${object.metadata.name} already exists`);
    const creationTimestamp = new Date().toISOString();
    const metadata = { ...object.metadata, uid: `uid-${++this.#writes}`, creationTimestamp };
    return { status: 201, body: this.#keep(path, { ...object, metadata }) };
  }

  #patch(path: string, patch: KubernetesObject, isApply: boolean): Answer {
    const current = this.#objects.get(path);
    if (current === undefined) return isApply ? this.#create(path.replace(/\/[^/]*$/, ''), patch) : missing(path);
    const conflict = conflictOf(current, patch.metadata);
    return conflict ?? { status: 200, body: this.#keep(path, merged(current, patch) as KubernetesObject) };
  }

  #delete(path: string, preconditions: Partial<Metadata>): Answer {
    const current = this.#objects.get(path);
    if (current === undefined) return missing(path);
    const conflict = conflictOf(current, preconditions);
    if (conflict !== undefined) return conflict;
    this.#remove(path, current);
    return { status: 200, body: current };
  }

  #remove(path: string, { metadata }: KubernetesObject): void {
    this.#objects.delete(path);
    for (const [other, object] of this.#objects) {
      if (object.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid)) this.#remove(other, object);
    }
  }

  #keep(path: string, object: KubernetesObject): KubernetesObject {
    const kept = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#writes) } };
    this.#objects.set(path, kept);
    return kept;
  }
}

function kindOf(object: KubernetesObject): Kind {
  const kind = Object.values<Kind>(Kinds).find(
    (one) => one.kind === object.kind && one.apiVersion === object.apiVersion,
  );
  if (kind === undefined) throw new Error(`no kind ${object.kind} in ${object.apiVersion}`);
  return kind;
}

function isOf(kind: Kind, path: string): boolean {
  const anywhere = pathOf(kind).replace(`/${kind.plural}`, '');
  const rest = path.startsWith(`${anywhere}/`) ? path.slice(anywhere.length + 1).split('/') : [];
  const [plural, name, more] = kind.namespaced && rest[0] === 'namespaces' && rest.length > 2 ? rest.slice(2) : rest;
  return plural === kind.plural && more === undefined && name !== '';
}

function isSelected({ metadata }: KubernetesObject, search: URLSearchParams): boolean {
  const name = /^metadata\.name=(.*)$/.exec(search.get('fieldSelector') ?? '')?.[1] ?? metadata.name;
  const wanted = (search.get('labelSelector') ?? '').split(/,(?![^(]*\))/).filter((term) => term !== '');
  return name === metadata.name && wanted.every((term) => hasLabel(metadata, term));
}

function hasLabel({ labels = {} }: Metadata, term: string): boolean {
  const [, key = '', list = ''] = /^(\S+) in \((.*)\)$/.exec(term) ?? [];
  if (key !== '') return list.split(',').includes(labels[key] ?? '');
  const [label = '', value] = term.split('=');
  return value === undefined ? label in labels : labels[label] === value;
}

function conflictOf({ metadata }: KubernetesObject, guard: Partial<Metadata> = {}): Answer | undefined {
  const isOther = guard.uid !== undefined && guard.uid !== metadata.uid;
  const isStale = guard.resourceVersion !== undefined && guard.resourceVersion !== metadata.resourceVersion;
  return isOther || isStale ? refusal(409, 'Conflict', 'the object has been modified') : undefined;
}

function missing(path: string): Answer {
  return refusal(404, 'NotFound', `${path} not found`);
}

/** A JSON merge patch applied (RFC 7396). */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(target as Record<string, unknown> | undefined) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, key);
    else result[key] = merged(result[key], value);
  }
  return result;
}
