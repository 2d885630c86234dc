import { describe, expect, it } from 'vitest';
import { problems, readChosen, readCreate } from './given-inputs.ts';

const persistent = {
  persistent: 'true',
  'persistent-machine-addresses': '10.1.2.10-10.1.2.20, 10.1.3.0/30,10.1.4.1',
  'persistent-host-cluster-cni': 'calico',
};

describe('a persistent create', () => {
  it('has addresses and a CNI, is not ephemeral, and never expires', () => {
    expect(readCreate(persistent)).toMatchObject({
      persistent: true,
      ephemeral: false,
      ttlSeconds: undefined,
      machineAddresses: [
        { first: '10.1.2.10', last: '10.1.2.20' },
        { first: '10.1.3.1', last: '10.1.3.2' },
        { first: '10.1.4.1', last: '10.1.4.1' },
      ],
      hostClusterCni: 'calico',
      versions: { ipam: 'v1.2.1', cdi: 'v1.55.2' },
    });
  });

  it('expires only with a ttl', () => {
    expect(readCreate({ ...persistent, ttl: '7d' })).toMatchObject({ ephemeral: false, ttlSeconds: 604_800 });
    expect(readCreate({ ...persistent, ephemeral: 'false' }).ttlSeconds).toBeUndefined();
  });

  it('uses root file system images for CDI, unless an image is given', () => {
    expect(readChosen({ ...persistent, 'worker-machine-rootfs-image': 'r:1' }).images).toMatchObject({
      CONTROL_PLANE_MACHINE_ROOTFS_IMAGE: 'smartxworks/capch-rootfs-cdi-1.24.0',
      WORKER_MACHINE_ROOTFS_IMAGE: 'r:1',
    });
  });

  it('needs an address for each machine', () => {
    const machines = { 'control-plane-machine-count': '3', 'worker-machine-count': '2' };
    const given = { ...persistent, ...machines, 'persistent-machine-addresses': '10.1.2.1-10.1.2.4' };
    expect(problems(given)).toEqual([
      'persistent-machine-addresses: 4 addresses for 5 machines; each machine needs its own',
    ]);
    expect(problems({ ...given, 'persistent-machine-addresses': '10.1.2.1-10.1.2.5' })).toEqual([]);
  });

  it.each([
    [
      'persistent-machine-addresses',
      '',
      'is missing; for example 10.1.2.10-10.1.2.20, addresses that nothing else uses',
    ],
    ['persistent-machine-addresses', '10.1.2.1', '1 address for 2 machines; each machine needs its own'],
    [
      'persistent-machine-addresses',
      '10.1.2.0/29,x',
      '"x" is not an address, range or CIDR; for example 10.1.2.10-10.1.2.20',
    ],
    [
      'persistent-machine-addresses',
      '10.1.2.0/29,',
      '"" is not an address, range or CIDR; for example 10.1.2.10-10.1.2.20',
    ],
    ['persistent-machine-addresses', '10.1.2.0/29,10.1.2.6', '10.1.2.6 overlaps 10.1.2.1-10.1.2.6'],
    ['persistent-machine-addresses', '10.1.2.0/29,fd00::1', 'mixes IPv4 and IPv6'],
    ['persistent-host-cluster-cni', '', 'is missing; one of calico, kube-ovn'],
    ['persistent-host-cluster-cni', 'cilium', '"cilium" is not supported; use one of calico, kube-ovn'],
    ['ephemeral', 'true', 'is true, but a persistent cluster stays until it is deleted'],
    ['ephemeral', 'perhaps', '"perhaps" is not a boolean; use true or false'],
    ['infrastructure', 'docker', undefined],
    ['persistent', 'maybe', undefined],
    [
      'ipam-version',
      '1.2',
      `"1.2" is not a version; for example 1.2.0; if the workflow has 1.20, it lacks quotes: YAML reads that as 1.2, so write '1.20.0'`,
    ],
    ['ipam-version', 'new', '"new" is not a version; for example 1.0.0'],
    ['cdi-version', 'latest', '"latest" is not a version; for example 1.0.0'],
  ])('with %s %j is one error', (input, value, problem) => {
    const found = problems({ ...persistent, [input]: value });
    if (problem !== undefined) expect(found).toEqual([`${input}: ${problem}`]);
    else
      expect(found[0]).toMatch(
        /^persistent: (needs infrastructure: virtink|"maybe" is not a boolean; use true or false)$/,
      );
  });
});

describe('any other create', () => {
  it('has no addresses, and is ephemeral by default', () => {
    const inputs = readCreate();
    expect(inputs).toMatchObject({ persistent: false, ephemeral: true });
    expect(inputs).not.toHaveProperty('machineAddresses');
    expect(readCreate({ ephemeral: 'false' })).toMatchObject({ persistent: false, ephemeral: false });
  });

  it('refuses the inputs for persistent clusters', () => {
    expect(problems({ ...persistent, persistent: 'false' })).toEqual([
      'persistent-machine-addresses: is set, but persistent is not true',
      'persistent-host-cluster-cni: is set, but persistent is not true',
    ]);
  });
});
