import { describe, expect, it } from 'vitest';
import { KubernetesClient } from '../../../src/host/api/client.ts';
import { RestClient } from '../../../src/host/api/rest.ts';
import { Transport } from '../../../src/host/api/transport.ts';
import { requiredComponents } from '../../../src/catalog/components/required-components.ts';
import { takeInventory } from '../../../src/install/inventory.ts';
import { checkServed } from '../../../src/install/served.ts';
import { configFor, json, refuse, serve, type Handler } from '../host/server.ts';
import { rejection } from '../rejection.ts';
import { versions } from './versions.ts';

const components = requiredComponents(versions, 'virtink');

describe('credentials that may not read the whole host', () => {
  const clientFor = async (handler: Handler): Promise<KubernetesClient> => {
    const { url } = await serve(handler);
    return new KubernetesClient(new RestClient(new Transport(configFor(url)), new AbortController().signal));
  };

  it('get no inventory, whichever part of it is refused', async () => {
    const client = await clientFor((response, _number, { path }) =>
      path.includes('/daemonsets') ? refuse(response, 403) : json(response, { items: [] }),
    );
    expect(await takeInventory(client)).toBeUndefined();
  });

  /** A host that serves these CustomResourceDefinitions, each in a version. */
  const serving = (definitions: readonly string[]): Promise<KubernetesClient> =>
    clientFor((response, _number, { path }) => {
      const [, group = '', version] = /^\/apis\/([^/]+)(\/v1)?$/.exec(path) ?? [];
      const names = definitions.filter((name) => name.endsWith(`.${group}`)).map((name) => name.replace(/\..*/, ''));
      if (names.length === 0) refuse(response, 404);
      else if (version === undefined) json(response, { versions: [{ groupVersion: `${group}/v1` }] });
      else json(response, { resources: names.map((name) => ({ name, kind: name, namespaced: true })) });
    });
  const definitions = components.flatMap(({ crd = [] }) => crd);

  it('find out by discovery that everything is served', async () => {
    await expect(checkServed(await serving(definitions), components)).resolves.toBeUndefined();
  });

  it.each([
    ['Virtink', ['virtualmachines.virt.virtink.smartx.com'], []],
    // Another provider's kinds are in the same API group.
    [
      'Virtink provider',
      ['virtinkclusters.infrastructure.cluster.x-k8s.io'],
      ['devclusters.infrastructure.cluster.x-k8s.io'],
    ],
  ])('learn that the host lacks %s', async (title, without, besides) => {
    const host = await serving([...definitions.filter((name) => !without.includes(name)), ...besides]);
    expect(await rejection(checkServed(host, components))).toMatchObject({
      code: 'KNEST_PERMISSION',
      problem: `the host lacks ${title}, and these credentials may not install it`,
      next: expect.stringContaining('docs/rbac/install.yaml') as string,
    });
  });
});
