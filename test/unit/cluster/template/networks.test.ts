import { describe, expect, it } from 'vitest';
import { chooseNetworks, withListedRanges } from '../../../../src/cluster/template/networks.ts';
import { KnestError } from '../../../../src/errors.ts';
import type { KubernetesObject } from '../../../../src/host/api/objects.ts';
import type { HostNetworks } from '../../../../src/host/networks.ts';
import { readCreate } from '../../inputs/given-inputs.ts';
import { cidr, clusterOf } from '../samples.ts';

const host = (pods: readonly string[], services: readonly string[]): HostNetworks => ({
  pods: pods.map(cidr),
  services: services.map(cidr),
  nodes: [],
  assumed: { pods: [], services: [] },
});
const usual = host(['10.244.0.0/16'], ['10.100.0.0/16']);

/** The chosen ranges, pods first. */
function chosen(networks: HostNetworks, given: Readonly<Record<string, string>> = {}): readonly string[] {
  const { pods, services } = chooseNetworks(readCreate(given), networks);
  return [pods.text, services.text];
}

function failure(networks: HostNetworks, given: Readonly<Record<string, string>> = {}): KnestError {
  try {
    chooseNetworks(readCreate(given), networks);
  } catch (thrown) {
    if (thrown instanceof KnestError) return thrown;
    throw thrown;
  }
  throw new Error('it was not refused');
}

describe('requested ranges', () => {
  it('are used when the host does not use them', () => {
    const given = { 'pod-network-cidr': '10.10.0.0/16', 'service-cidr': '10.11.0.0/16' };
    expect(chosen(usual, given)).toEqual(['10.10.0.0/16', '10.11.0.0/16']);
  });

  it('are refused when the pods of the host overlap them, with a free range', () => {
    expect(failure(usual, { 'pod-network-cidr': '10.244.8.0/22' })).toMatchObject({
      code: 'KNEST_INPUT',
      problem: '1 input cannot be used; nothing was created',
      evidence: [
        "pod-network-cidr: 10.244.8.0/22 overlaps the host's pods (10.244.0.0/16); for example 192.168.0.0/16",
      ],
    });
  });

  it('are refused when the Services of the host overlap them', () => {
    expect(failure(usual, { 'service-cidr': '10.0.0.0/8' }).evidence).toEqual([
      "service-cidr: 10.0.0.0/8 overlaps the host's pods (10.244.0.0/16) and the host's services (10.100.0.0/16); for example 10.96.0.0/16",
    ]);
    expect(failure(usual, { 'service-cidr': '10.100.0.0/20' }).evidence).toEqual([
      "service-cidr: 10.100.0.0/20 overlaps the host's services (10.100.0.0/16); for example 10.96.0.0/16",
    ]);
  });

  it('are both refused at once when neither can be used', () => {
    const given = { 'pod-network-cidr': '10.100.0.0/16', 'service-cidr': '10.244.0.0/16' };
    expect(failure(usual, given)).toMatchObject({
      problem: '2 inputs cannot be used; nothing was created',
      evidence: [
        "pod-network-cidr: 10.100.0.0/16 overlaps the host's services (10.100.0.0/16); for example 192.168.0.0/16",
        "service-cidr: 10.244.0.0/16 overlaps the host's pods (10.244.0.0/16); for example 10.96.0.0/16",
      ],
    });
  });

  it('get a suggestion that does not overlap the other range of the cluster', () => {
    const given = { 'pod-network-cidr': '10.244.0.0/16', 'service-cidr': '192.168.0.0/20' };
    expect(failure(usual, given).evidence).toEqual([
      "pod-network-cidr: 10.244.0.0/16 overlaps the host's pods (10.244.0.0/16); for example 10.95.0.0/16",
    ]);
  });

  it('get no suggestion when no range is free', () => {
    const full = host(['192.168.0.0/16', '10.0.0.0/8', '172.16.0.0/12'], []);
    const given = { 'pod-network-cidr': '10.1.0.0/16', 'service-cidr': '100.64.0.0/16' };
    expect(failure(full, given).evidence).toEqual([
      "pod-network-cidr: 10.1.0.0/16 overlaps the host's pods (10.0.0.0/8)",
    ]);
  });
});

describe('ranges that are blank', () => {
  it.each([
    [host([], []), ['192.168.0.0/16', '10.96.0.0/16']],
    [host(['192.168.0.0/16'], ['10.96.0.0/12']), ['10.95.0.0/16', '172.21.0.0/16']],
    [host(['10.96.0.0/24'], ['192.168.7.0/24']), ['10.95.0.0/16', '10.97.0.0/16']],
    [host(['192.168.0.0/16', '10.0.0.0/8'], []), ['172.20.0.0/16', '172.21.0.0/16']],
    // A range of the other address family does not matter.
    [host(['fd00::/48'], ['fd01::/112']), ['192.168.0.0/16', '10.96.0.0/16']],
  ])('default to the first free ones (%#)', (networks, ranges) => expect(chosen(networks)).toEqual(ranges));

  it('do not overlap a requested range', () => {
    expect(chosen(host([], []), { 'service-cidr': '192.168.0.0/24' })).toEqual(['10.95.0.0/16', '192.168.0.0/24']);
    expect(chosen(host([], []), { 'pod-network-cidr': '10.96.0.0/12' })).toEqual(['10.96.0.0/12', '172.21.0.0/16']);
  });

  it('are required when none is free', () => {
    expect(failure(host(['192.168.0.0/16', '172.16.0.0/12'], ['10.0.0.0/8'])).evidence).toEqual([
      'pod-network-cidr: none of 192.168.0.0/16, 10.95.0.0/16, 172.20.0.0/16, 10.195.0.0/16 is free on this host; choose one that is',
      'service-cidr: none of 10.96.0.0/16, 10.97.0.0/16, 172.21.0.0/16, 10.196.0.0/16 is free on this host; choose one that is',
    ]);
  });
});

describe('the addresses of the nodes of a host', () => {
  const office = {
    ...host(['10.244.0.0/16'], ['10.100.0.0/16']),
    nodes: [cidr('192.168.1.7/32'), cidr('fd00::7/128')],
  };

  it('count as used, so the default is another range', () => {
    expect(chosen(office)).toEqual(['10.95.0.0/16', '10.96.0.0/16']);
  });

  it('cause a range to be refused that contains them', () => {
    expect(failure(office, { 'pod-network-cidr': '192.168.0.0/16' }).evidence).toEqual([
      "pod-network-cidr: 192.168.0.0/16 overlaps the host's node addresses (192.168.1.7/32); for example 10.95.0.0/16",
    ]);
    expect(chosen(office, { 'pod-network-cidr': '192.168.2.0/24' })).toEqual(['192.168.2.0/24', '10.96.0.0/16']);
  });
});

describe('ranges that are only assumed to be used', () => {
  const unread = { ...host([], []), assumed: { pods: [cidr('192.168.0.0/16')], services: [cidr('10.96.0.0/12')] } };

  it('are not the default', () => {
    expect(chosen(unread)).toEqual(['10.95.0.0/16', '172.21.0.0/16']);
  });

  it('are accepted when they are requested', () => {
    const given = { 'pod-network-cidr': '192.168.0.0/16', 'service-cidr': '10.96.0.0/16' };
    expect(chosen(unread, given)).toEqual(['192.168.0.0/16', '10.96.0.0/16']);
  });
});

describe('the ranges of a Cluster', () => {
  const withRanges = (pods: unknown, services: unknown): KubernetesObject =>
    ({
      ...clusterOf(),
      spec: {
        paused: true,
        clusterNetwork: {
          serviceDomain: 'cluster.local',
          pods: { cidrBlocks: pods },
          services: { cidrBlocks: services },
        },
      },
    }) as KubernetesObject;
  const listed = withRanges(['10.95.0.0/16'], ['10.97.0.0/16', 'fd00::/108']);

  it('become lists when the template has a variable for the whole list, and nothing else changes', () => {
    expect(withListedRanges(withRanges('10.95.0.0/16', ['10.97.0.0/16', 'fd00::/108']))).toEqual(listed);
    expect(withListedRanges(listed)).toEqual(listed);
  });

  it('are optional, and other kinds do not change', () => {
    const other = { ...withRanges('a', 'b'), kind: 'ConfigMap' };
    expect(withListedRanges(other)).toBe(other);
    expect(withListedRanges(clusterOf())).toEqual(clusterOf());
  });
});
