import type { KubernetesClient } from '../../../src/host/api/client.ts';
import { Kinds, type Kind } from '../../../src/host/api/kinds.ts';
import type { Answer, Received } from '../../support/api-server.ts';
import { ObjectStore } from '../../support/object-store.ts';
import { clientOf, json, refuse, type Received as Request } from './server.ts';

/** The resources of a group: those that the action knows. */
function discovery({ path }: Received): Answer | undefined {
  const kinds = Object.values<Kind>(Kinds).filter(({ apiVersion }) => path.endsWith(`/${apiVersion}`));
  if (kinds.length === 0) return undefined;
  const resources = kinds.map(({ plural, kind, namespaced }) => ({ name: plural, kind, namespaced }));
  return { status: 200, body: { resources } };
}

/** A client of an API server that keeps objects. `answer`: answers instead, undefined for what the store answers. */
export async function clientOfStore(
  answer: (request: Received) => Answer | undefined = () => undefined,
): Promise<{ readonly client: KubernetesClient; readonly store: ObjectStore; readonly received: readonly Request[] }> {
  const store = new ObjectStore();
  const { client, received } = await clientOf((response, _number, { method, path, body }) => {
    const request = { method, path, body: body === '' ? undefined : (JSON.parse(body) as unknown) };
    const answered = answer(request) ?? store.answer(request) ?? discovery(request);
    if (answered === undefined) refuse(response, 404);
    else if (answered !== 'silence') json(response, answered.body, answered.status);
  });
  return { client, store, received };
}
