import { describe, expect, it } from 'vitest';
import { cniNetworks, describeAssumed, hostNetworks } from '../../../src/host/networks.ts';
import { Kinds } from '../../../src/host/api/kinds.ts';
import { unlessForbidden } from '../../../src/host/api/api-error.ts';
import { hostWith } from './fake-host.ts';

const NODES = '/api/v1/nodes';
const SERVICES = '/apis/networking.k8s.io/v1/servicecidrs';
const KUBEADM = '/api/v1/namespaces/kube-system/configmaps/kubeadm-config';
const nodes = {
  items: [
    {
      metadata: { name: 'one' },
      spec: { podCIDRs: ['10.42.0.0/24', 'fd42::/64'] },
      status: {
        addresses: [
          { type: 'InternalIP', address: '192.168.1.7' },
          { type: 'InternalIP', address: 'fe80::1%eth0' },
          { type: 'Hostname', address: 'one.example.com' },
        ],
      },
    },
    { metadata: { name: 'two' }, spec: { podCIDR: '10.42.1.0/24' } },
  ],
};

/** The networks of a host with these answers; `false` means forbidden. */
async function found(answers: Readonly<Record<string, unknown>>) {
  const { client } = await hostWith(answers);
  const { assumed, ...measured } = await hostNetworks(client, await unlessForbidden(client.list(Kinds.node), []));
  const texts = (ranges: readonly { readonly text: string }[]) => ranges.map(({ text }) => text);
  return {
    pods: texts(measured.pods),
    services: texts(measured.services),
    nodes: texts(measured.nodes),
    assumed: { pods: texts(assumed.pods), services: texts(assumed.services) },
    told: describeAssumed(assumed),
  };
}

describe('hostNetworks', () => {
  it('reads ranges and addresses from nodes and ServiceCIDRs', async () => {
    const services = { items: [{ metadata: { name: 'kubernetes' }, spec: { cidrs: ['10.43.0.0/16'] } }] };
    expect(await found({ [NODES]: nodes, [SERVICES]: services })).toEqual({
      pods: ['10.42.0.0/24', 'fd42::/64', '10.42.1.0/24'],
      services: ['10.43.0.0/16'],
      nodes: ['192.168.1.7/32', 'fe80::1/128'],
      assumed: { pods: [], services: [] },
      told: undefined,
    });
  });

  it('prefers the ranges of kubeadm, which include those of future nodes', async () => {
    const text = 'networking:\n  podSubnet: 10.244.0.0/16,fd00:1::/48\n  serviceSubnet: 10.96.0.0/12\n';
    const kubeadm = { metadata: { name: 'kubeadm-config' }, data: { ClusterConfiguration: text } };
    expect(await found({ [NODES]: nodes, [KUBEADM]: kubeadm })).toMatchObject({
      pods: ['10.244.0.0/16', 'fd00:1::/48'],
      services: ['10.96.0.0/12'],
      assumed: { pods: [], services: [] },
    });
  });

  it('assumes the defaults of installers when nothing may be read', async () => {
    expect(await found({ [NODES]: false, [SERVICES]: false, [KUBEADM]: false })).toEqual({
      pods: [],
      services: [],
      nodes: [],
      assumed: {
        pods: ['10.244.0.0/16', '10.42.0.0/16', '192.168.0.0/16'],
        services: ['10.96.0.0/12', '10.43.0.0/16'],
      },
      told: "cannot read the ranges of the host's pods (assuming 10.244.0.0/16, 10.42.0.0/16, 192.168.0.0/16) and services (assuming 10.96.0.0/12, 10.43.0.0/16)",
    });
  });

  it('assumes only ranges that it cannot read: a host before Kubernetes 1.33 has no ServiceCIDRs', async () => {
    expect(await found({ [NODES]: nodes })).toMatchObject({
      nodes: ['192.168.1.7/32', 'fe80::1/128'],
      assumed: { pods: [], services: ['10.96.0.0/12', '10.43.0.0/16'] },
      told: "cannot read the ranges of the host's services (assuming 10.96.0.0/12, 10.43.0.0/16)",
    });
  });
});

describe('cniNetworks', () => {
  const POOLS = '/apis/crd.projectcalico.org/v1/ippools';
  const SUBNETS = '/apis/kubeovn.io/v1/subnets';
  const ranges = async (answers: Readonly<Record<string, unknown>>) =>
    (await cniNetworks((await hostWith(answers)).client))?.map(({ text }) => text);

  it('are the pools of Calico and the subnets of Kube-OVN', async () => {
    const pools = { items: [{ metadata: { name: 'extra' }, spec: { cidr: '10.1.0.0/16' } }] };
    expect(await ranges({ [POOLS]: pools })).toEqual(['10.1.0.0/16']);
    const subnets = { items: [{ metadata: { name: 'ci' }, spec: { cidrBlock: '10.2.0.0/16,fd00:2::/64' } }] };
    expect(await ranges({ [SUBNETS]: subnets })).toEqual(['10.2.0.0/16', 'fd00:2::/64']);
  });

  it('are empty when the host has neither, and undefined when they may not be read', async () => {
    expect(await ranges({})).toEqual([]);
    expect(await ranges({ [POOLS]: false, [SUBNETS]: false })).toBeUndefined();
  });
});
