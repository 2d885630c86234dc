import { describe, expect, it } from 'vitest';
import {
  addressPool,
  checkAddressesFree,
  checkAddressesInPodNetwork,
  checkAddressesSuffice,
  poolsOf,
} from '../../../../src/cluster/machines/address-pool.ts';
import { clientOf, json, refuse } from '../../host/server.ts';
import { cidr } from '../samples.ts';

const handle = { name: 'pr', namespace: 'knest' };
const ranges = [{ first: '10.1.2.10', last: '10.1.2.20' }];

/** A host with these pools, by `namespace/name`. Each writes its addresses in another form. */
const hostWith = async (pools: Readonly<Record<string, readonly object[]>>) => {
  const items = Object.entries(pools).map(([key, addresses]) => {
    const [namespace = '', name = ''] = key.split('/');
    return { metadata: { name, namespace }, spec: { pools: addresses } };
  });
  return clientOf((response) => json(response, { items }));
};

describe('checkAddressesFree', () => {
  it('accepts addresses that no other pool has, and those of the cluster itself', async () => {
    const others = [{ start: '10.1.2.21', end: '10.1.2.30' }, { subnet: '10.1.3.0/24' }, { start: '10.1.2.9' }];
    const { client } = await hostWith({
      'knest/pr': [{ start: '10.1.2.10', end: '10.1.2.20' }],
      'knest/other': others,
    });
    await expect(checkAddressesFree(client, handle, ranges)).resolves.toBeUndefined();
  });

  it.each([
    [{ start: '10.1.2.20', end: '10.1.2.30' }, '10.1.2.20-10.1.2.30'],
    [{ subnet: '10.1.2.0/24' }, '10.1.2.1-10.1.2.254'],
    [{ start: '10.1.2.12' }, '10.1.2.12'],
  ])('refuses addresses that another cluster has in %o', async (pool, text) => {
    const { client } = await hostWith({ 'elsewhere/pr': [pool] });
    await expect(checkAddressesFree(client, handle, ranges)).rejects.toMatchObject({
      code: 'KNEST_INPUT',
      evidence: [`persistent-machine-addresses: 10.1.2.10-10.1.2.20 overlaps ${text} of IPPool elsewhere/pr`],
    });
  });

  it.each([403, 404])('succeeds when pools cannot be read (%i)', async (code) => {
    const { client } = await clientOf((response) => refuse(response, code));
    await expect(checkAddressesFree(client, handle, ranges)).resolves.toBeUndefined();
  });
});

describe('checkAddressesInPodNetwork', () => {
  const inside = [cidr('10.1.2.0/28'), cidr('10.1.2.16/28')];

  it('accepts addresses in the pod network, even across two nodes, and any when it is not known', () => {
    expect(() => checkAddressesInPodNetwork(ranges, inside)).not.toThrow();
    expect(() => checkAddressesInPodNetwork(ranges, [])).not.toThrow();
  });

  it.each([[['10.85.0.0/16']], [['10.1.2.0/28']], [['fd00::/48']]])('refuses addresses outside it: %j', (pods) => {
    expect(() => checkAddressesInPodNetwork(ranges, pods.map(cidr))).toThrow(
      expect.objectContaining({
        code: 'KNEST_INPUT',
        evidence: [
          `persistent-machine-addresses: 10.1.2.10-10.1.2.20 is outside the host's pod network (${pods.join(', ')}), from which its CNI assigns addresses`,
        ],
      }),
    );
  });
});

describe('poolsOf', () => {
  it('requests only the pools of the cluster', async () => {
    const { client, received } = await hostWith({ 'knest/pr': [] });
    expect(await poolsOf(client, handle)).toHaveLength(1);
    const [request] = received.map(({ path }) => new URL(path, 'http://host'));
    expect(request?.pathname).toBe('/apis/ipam.metal3.io/v1alpha1/namespaces/knest/ippools');
    expect(request?.searchParams.get('labelSelector')).toBe('cluster.x-k8s.io/cluster-name=pr');
  });

  it.each([403, 404])('is empty when pools cannot be read (%i)', async (code) => {
    const { client } = await clientOf((response) => refuse(response, code));
    expect(await poolsOf(client, handle)).toEqual([]);
  });
});

describe('checkAddressesSuffice', () => {
  const pool = {
    apiVersion: 'ipam.metal3.io/v1alpha1',
    kind: 'IPPool',
    metadata: { name: 'pr', namespace: 'knest' },
    spec: { pools: [{ start: '10.1.2.10', end: '10.1.2.12' }, { subnet: '10.1.3.0/30' }] },
  };
  const check =
    (machines: number, pools = [pool]) =>
    () =>
      checkAddressesSuffice(pools, handle, machines);

  it('accepts as many machines as there are addresses', () => expect(check(5)).not.toThrow());

  it('refuses more machines', () => {
    expect(check(6)).toThrow(
      expect.objectContaining({
        code: 'KNEST_ADDRESS_POOL',
        problem: 'pr cannot have 6 machines: its pool has 5 addresses',
        next: 'add addresses with kubectl edit ippool -n knest pr, or ask for fewer machines',
      }),
    );
  });

  it('accepts any number without a pool', () => expect(check(1000, [])).not.toThrow());

  it('counts the addresses of the pool that a create makes', () => {
    const made = addressPool('pr', ranges);
    expect(() => checkAddressesSuffice([made], handle, 11)).not.toThrow();
    expect(() => checkAddressesSuffice([made], handle, 12)).toThrow('its pool has 11 addresses');
  });
});
