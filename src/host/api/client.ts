import { Discovery, type KindReference } from './discovery.ts';
import { groupOfDefinition, knownKind, type Kind } from './kinds.ts';
import type { KubernetesObject, Metadata } from './objects.ts';
import { hasStatus } from './api-error.ts';
import { listAll, type Listed } from './list.ts';
import { pathOf, query, type Selection } from './paths.ts';
import type { Request } from './request.ts';
import { type RestClient } from './rest.ts';

/** The name under which the action owns fields in server-side apply. */
export const FIELD_MANAGER = 'knest-action';

/** What must still hold of an object for it to be deleted; the API server answers 409 otherwise. */
export interface Preconditions {
  readonly uid: string;
  readonly resourceVersion?: string;
}

/** What holds of an object as it was read: neither another one of its name is deleted, nor one that changed since. */
export function preconditionsOf({ metadata: { uid = '', resourceVersion } }: KubernetesObject): Preconditions {
  return { uid, ...(resourceVersion !== undefined && { resourceVersion }) };
}

/** What a SelfSubjectAccessReview asks. */
export interface ResourceAttributes {
  readonly verb: string;
  readonly group: string;
  /** With its subresource behind a slash, if it is about one. */
  readonly resource: string;
  readonly namespace?: string;
}

/** One operation of a JSON Patch; `path` is a JSON Pointer. */
export type JsonPatchOperation =
  | { readonly op: 'test' | 'add'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** Objects of any kind, read and written. Errors are those of RestClient; "not found" is undefined where a method documents it. */
export class KubernetesClient {
  readonly rest: RestClient;
  readonly #discovery: Discovery;

  constructor(rest: RestClient) {
    this.rest = rest;
    this.#discovery = new Discovery(rest);
  }

  /** The same cluster, until another signal aborts. */
  until(signal: AbortSignal): KubernetesClient {
    return new KubernetesClient(this.rest.until(signal));
  }

  /** The same cluster until that signal aborts, without more time than the usual tries take. */
  briefly(signal: AbortSignal): KubernetesClient {
    return new KubernetesClient(this.rest.briefly(signal));
  }

  /** The object, or undefined when there is none. */
  async get<T extends KubernetesObject>(kind: Kind<T>, name: string, namespace?: string): Promise<T | undefined> {
    try {
      return await this.rest.json<T>({ method: 'GET', path: pathOf(kind, namespace, name) });
    } catch (thrown) {
      if (hasStatus(thrown, 404)) return undefined;
      throw thrown;
    }
  }

  /** All objects selected; empty too when the kind is not served. */
  async list<T extends KubernetesObject>(kind: Kind<T>, selection: Selection = {}): Promise<readonly T[]> {
    return (await this.listAt(kind, selection)).items;
  }

  /** The same, with the resource version to watch from; see `listAll`. */
  async listAt<T extends KubernetesObject>(kind: Kind<T>, selection: Selection): Promise<Listed<T>> {
    return listAll(this.rest, kind, selection);
  }

  /** The metadata of all objects of a kind, without their bodies (CRDs are megabytes). */
  async metadata(kind: Kind): Promise<readonly Metadata[]> {
    const list = await this.rest.json<{ items: KubernetesObject[] | null }>({
      method: 'GET',
      path: pathOf(kind),
      accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
    });
    return (list.items ?? []).map((item) => item.metadata);
  }

  /** Creates the object. Throws ApiError 409 when one of that name exists. */
  async create<T extends KubernetesObject>(kind: Kind<T>, object: KubernetesObject): Promise<T> {
    const path = pathOf(kind, object.metadata.namespace) + query({ fieldManager: FIELD_MANAGER });
    return this.rest.json<T>({ method: 'POST', path, body: object });
  }

  /** Has the API server check a create of the object, and store nothing. Throws as `create` would. */
  async dryRun(object: KubernetesObject, more: Pick<Request, 'retries'> = {}): Promise<void> {
    const path = pathOf(await this.kindOf(object), object.metadata.namespace) + query({ dryRun: 'All' });
    await this.rest.json({ method: 'POST', path, body: object, ...more });
  }

  /** Replaces the object. Throws ApiError 409 when it changed since `object` was read. */
  async replace<T extends KubernetesObject>(kind: Kind<T>, object: KubernetesObject): Promise<T> {
    const { name, namespace } = object.metadata;
    return this.rest.json<T>({ method: 'PUT', path: pathOf(kind, namespace, name), body: object });
  }

  /**
   * Server-side apply. Throws ApiError 409, with the name of the other manager, when that owns a field of the object,
   * unless `force` takes the field over.
   */
  async apply(object: KubernetesObject, force = false): Promise<KubernetesObject> {
    const kind = await this.kindOf(object);
    const path = pathOf(kind, object.metadata.namespace, object.metadata.name);
    return this.rest.json<KubernetesObject>({
      method: 'PATCH',
      path: path + query({ fieldManager: FIELD_MANAGER, ...(force && { force: 'true' }) }),
      contentType: 'application/apply-patch+yaml',
      body: object,
    });
  }

  /** JSON merge patch. `isTried`: the server checks the patch with all of its webhooks, and changes nothing. */
  async patch<T extends KubernetesObject>(
    kind: Kind<T>,
    name: string,
    namespace: string,
    body: unknown,
    isTried = false,
  ): Promise<T> {
    return this.rest.json<T>({
      method: 'PATCH',
      path: pathOf(kind, namespace, name) + query({ fieldManager: FIELD_MANAGER, ...(isTried && { dryRun: 'All' }) }),
      contentType: 'application/merge-patch+json',
      body,
    });
  }

  /** JSON Patch (RFC 6902), applied as a whole or not at all. Throws ApiError 422 when a `test` in it does not hold. */
  async jsonPatch<T extends KubernetesObject>(
    kind: Kind<T>,
    name: string,
    namespace: string,
    operations: readonly JsonPatchOperation[],
  ): Promise<T> {
    return this.rest.json<T>({
      method: 'PATCH',
      path: pathOf(kind, namespace, name) + query({ fieldManager: FIELD_MANAGER }),
      contentType: 'application/json-patch+json',
      body: operations,
    });
  }

  /** Asks for deletion in the background. Resolves false when there was nothing to delete. */
  async delete(
    kind: Kind,
    name: string,
    namespace: string | undefined,
    preconditions?: Preconditions,
  ): Promise<boolean> {
    try {
      await this.rest.json({
        method: 'DELETE',
        path: pathOf(kind, namespace, name),
        body: { propagationPolicy: 'Background', ...(preconditions !== undefined && { preconditions }) },
      });
      return true;
    } catch (thrown) {
      if (hasStatus(thrown, 404)) return false;
      throw thrown;
    }
  }

  /** Whether the API server lets these credentials do that (SelfSubjectAccessReview). */
  async isAllowed({ resource: name, ...rest }: ResourceAttributes): Promise<boolean> {
    const [resource, subresource] = name.split('/');
    const resourceAttributes = { ...rest, resource, ...(subresource !== undefined && { subresource }) };
    const review = await this.rest.json<{ status?: { allowed?: boolean } }>({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes },
      },
    });
    return review.status?.allowed === true;
  }

  /** Who the API server takes these credentials for; undefined where it does not say (before Kubernetes 1.28). */
  async userName(): Promise<string | undefined> {
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    try {
      const review = await this.rest.json<{ status?: { userInfo?: { username?: string } } }>({
        method: 'POST',
        path,
        body,
      });
      return review.status?.userInfo?.username;
    } catch (thrown) {
      if (hasStatus(thrown, 403) || hasStatus(thrown, 404)) return undefined;
      throw thrown;
    }
  }

  /** The names of all API groups that the host serves. */
  async groups(): Promise<ReadonlySet<string>> {
    const list = await this.rest.json<{ groups: readonly { name: string }[] }>({ method: 'GET', path: '/apis' });
    return new Set(list.groups.map(({ name }) => name));
  }

  /** Whether the host serves what this CustomResourceDefinition defines: everybody may ask. */
  async serves(definition: string): Promise<boolean> {
    const resources = await this.#discovery.namesIn(groupOfDefinition(definition));
    return resources.has(definition.slice(0, definition.indexOf('.')));
  }

  /** The API server's version, for example `v1.36.3`. */
  async version(): Promise<string> {
    return (await this.rest.json<{ gitVersion: string }>({ method: 'GET', path: '/version' })).gitVersion;
  }

  /** Where the kind of an object lives: known kinds at once, others by one discovery request for each API group. */
  async kindOf(object: KindReference): Promise<Kind> {
    const kind = knownKind(object) ?? (await this.discover(object));
    if (kind === undefined) throw new Error(`the host does not serve kind ${object.kind} in ${object.apiVersion}`);
    return kind;
  }

  /** Where the kind of an object lives, asked of the host once for each API group; undefined when it serves none. */
  async discover(object: KindReference): Promise<Kind | undefined> {
    return this.#discovery.find(object);
  }
}
