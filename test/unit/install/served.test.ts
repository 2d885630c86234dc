import { describe, expect, it } from 'vitest';
import { KubernetesClient } from '../../../src/host/api/client.ts';
import { RestClient } from '../../../src/host/api/rest.ts';
import { Transport } from '../../../src/host/api/transport.ts';
import { requiredComponents } from '../../../src/catalog/required-components.ts';
import { checkServed, takeInventory } from '../../../src/install/inventory.ts';
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

  it('check with the API groups whether everything is served', async () => {
    const names = new Set(components.map(({ crd = '' }) => crd.replace(/^[^.]*\./, '')));
    const groups = [...names].map((name) => ({ name }));
    const all = await clientFor((response) => json(response, { groups }));
    await expect(checkServed(all, components)).resolves.toBeUndefined();
    const less = groups.filter(({ name }) => name !== 'virt.virtink.smartx.com');
    const some = await clientFor((response) => json(response, { groups: less }));
    expect(await rejection(checkServed(some, components))).toMatchObject({
      code: 'KNEST_PERMISSION',
      problem: 'the host lacks Virtink, and these credentials may not install it',
      next: expect.stringContaining('docs/rbac/install.yaml') as string,
    });
  });
});
