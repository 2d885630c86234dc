import { describe, expect, it } from 'vitest';
import { felixDrops, type FelixDrops } from '../../../src/host/calico.ts';
import { clientOf, json, refuse } from './server.ts';

const V1 = '/apis/crd.projectcalico.org/v1/felixconfigurations';
const V3 = '/apis/projectcalico.org/v3/felixconfigurations';

/** What the action reads from a host with these configurations or status codes by path. Everything else is 404. */
async function read(served: Readonly<Record<string, readonly object[] | number>>): Promise<FelixDrops | undefined> {
  const { client } = await clientOf((response, _number, { path }) => {
    const items = served[path.replace(/\?.*/, '')];
    if (Array.isArray(items)) json(response, { items, metadata: { resourceVersion: '1' } });
    else refuse(response, typeof items === 'number' ? items : 404);
  });
  return felixDrops(client);
}

const configuration = (name: string, spec: object): object => ({ metadata: { name }, spec });
const resource = 'felixconfigurations.crd.projectcalico.org default';

describe('felixDrops', () => {
  it('are unknown without Calico, or when it may not be read', async () => {
    expect(await read({})).toBeUndefined();
    expect(await read({ [V1]: 403, [V3]: 403 })).toBeUndefined();
    expect(await read({ [V1]: [configuration('node.n1', {})] })).toBeUndefined();
  });

  it.each<[string, object, Partial<FelixDrops>]>([
    ['VXLAN and IPIP by default', {}, { vxlanPort: 4789, ipip: true }],
    ['VXLAN on another port', { vxlanPort: 8472 }, { vxlanPort: 8472, ipip: true }],
    ['only IPIP', { allowVXLANPacketsFromWorkloads: true, vxlanPort: 8472 }, { vxlanPort: undefined, ipip: true }],
    ['only VXLAN', { allowIPIPPacketsFromWorkloads: true }, { vxlanPort: 4789, ipip: false }],
    [
      'VXLAN and IPIP when VXLAN is explicitly refused',
      { allowVXLANPacketsFromWorkloads: false },
      { vxlanPort: 4789, ipip: true },
    ],
  ])('are %s', async (_what, spec, found) => {
    const others = configuration('node.n1', { vxlanPort: 1, allowIPIPPacketsFromWorkloads: true });
    expect(await read({ [V1]: [others, configuration('default', spec)] })).toEqual({ ...found, resource });
  });

  it('are read from the API group projectcalico.org when there are no CRDs of the old one', async () => {
    expect(await read({ [V3]: [configuration('default', {})] })).toEqual({
      vxlanPort: 4789,
      ipip: true,
      resource: 'felixconfigurations.projectcalico.org default',
    });
  });
});
