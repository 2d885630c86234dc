import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesObject, Pod } from '../../src/host/api/objects.ts';
import type { Job, StepResult } from '../support/runner.ts';
import { jobOn, leftovers, sharedHost, volumesFor } from './support.ts';

const host = sharedHost();
const namespace = 'lasting';
const name = 'kept';
const persistent = {
  namespace,
  persistent: 'true',
  'persistent-machine-addresses': '10.85.200.10-10.85.200.11,10.85.200.12',
  'persistent-host-cluster-cni': 'calico',
};

/** The pod of the machine whose name begins with this text. */
async function podOf(machine: string): Promise<Pod & { status?: { podIP?: string } }> {
  const text = await host.kubectl(['get', 'pods', '-n', namespace, '-o', 'json']);
  const { items } = JSON.parse(text) as { items: Pod[] };
  const pod = items.find(({ metadata }) => metadata.name.startsWith(`vm-${machine}-`));
  if (pod === undefined) throw new Error(`there is no pod of ${machine}`);
  return pod;
}

/** The addresses that IPAM gave to the machines of a cluster, by name of the machine. */
async function givenAddresses(cluster: string): Promise<Readonly<Record<string, string>>> {
  const pool = ['get', 'ippools.ipam.metal3.io', cluster, '-n', namespace, '-o', 'jsonpath={.status.indexes}'];
  return JSON.parse(await host.kubectl(pool)) as Record<string, string>;
}

const poolOf = async (cluster: string): Promise<KubernetesObject & { readonly spec: unknown }> => {
  const text = await host.kubectl(['get', 'ippools.ipam.metal3.io', cluster, '-n', namespace, '-o', 'json']);
  return JSON.parse(text) as KubernetesObject & { readonly spec: unknown };
};

/** Machines that keep their disk and address. The tests build on one another, from create to delete. */
describe.skipIf(!host.hasVirtink)('a persistent cluster (needs the release assets of Virtink and IPAM)', () => {
  const jobs: Job[] = [];
  const job = (inputs: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}): Job => {
    const made = jobOn(host, inputs, { env });
    jobs.push(made);
    return made;
  };
  let creator: Job;
  let main: StepResult;
  const nested = (...args: string[]): Promise<string> =>
    host.run(['kubectl', '--kubeconfig', main.outputs['kubeconfig-path'] ?? '', '--request-timeout=3s', ...args]);

  beforeAll(async () => {
    creator = job({ ...persistent, name, 'wait-for': 'nodes' });
    main = await creator.main();
    expect(main.exitCode, main.log).toBe(0);
  });
  afterAll(() => jobs.forEach((made) => made.clean()));

  it('gives each machine an address of its pool, which its pod requests from the CNI', async () => {
    const addresses = await givenAddresses(name);
    expect(Object.values(addresses).sort()).toEqual(['10.85.200.10', '10.85.200.11']);
    for (const [machine, address] of Object.entries(addresses)) {
      expect(main.log).toContain(`  machine ${machine}: disk rootfs: filled`);
      const { metadata, status } = await podOf(machine);
      expect(metadata.annotations?.['cni.projectcalico.org/ipAddrs']).toBe(`["${address}"]`);
      expect(metadata.annotations?.['cni.projectcalico.org/hwAddr']).toMatch(/^52:54:00(:[0-9a-f]{2}){3}$/);
      expect(status?.podIP).toBe(address);
    }
  });

  it('has disks that are owned by their machines', async () => {
    const owners = '{range .items[*]}{.metadata.name}: {.metadata.ownerReferences[*].kind}{"\\n"}{end}';
    const claims = await host.kubectl(['get', 'persistentvolumeclaims', '-n', namespace, '-o', `jsonpath=${owners}`]);
    expect(claims.trim().split('\n')).toEqual([
      expect.stringMatching(/^kept-cp-.*: .*VirtinkMachine/),
      expect.stringMatching(/^kept-md-0-.*: .*VirtinkMachine/),
    ]);
  });

  it('never expires, and its post step leaves it alone', async () => {
    expect(main.outputs['expires-at']).toBe('');
    const post = await creator.post();
    expect(post.log).toContain(`${namespace}/${name} is not ephemeral: it stays`);
    expect(await nested('get', 'nodes', '-o', 'name')).toMatch(/^node\/kept-cp-\w+\nnode\/kept-md-0-\w+-\w+\n$/);
  });

  it('is adopted by a later run, with the same pool', async () => {
    const before = await poolOf(name);
    const adopted = await job({ ...persistent, name }, { GITHUB_RUN_ID: '1658821494' }).main();
    expect(adopted.exitCode, adopted.log).toBe(0);
    expect(adopted.outputs['created']).toBe('false');
    const { metadata, spec } = await poolOf(name);
    expect({ uid: metadata.uid, spec }).toEqual({ uid: before.metadata.uid, spec: before.spec });
  });

  it('keeps its data and its address when the VM of its control plane restarts', async () => {
    await nested('create', 'configmap', 'hello', '--from-literal=a=b');
    const nodes = await nested('get', 'nodes', '-o', 'name');
    const before = await podOf(`${name}-cp`);
    await host.kubectl(['delete', 'pod', before.metadata.name, '-n', namespace]);
    const started = performance.now();
    let kept = '';
    while (kept === '') {
      await delay(1_000);
      kept = await nested('get', 'configmap', 'hello', '-o', 'jsonpath={.data.a}').catch(() => '');
    }
    console.log(
      `the nested API answers again ${((performance.now() - started) / 1000).toFixed(1)} s after its VM ended`,
    );
    const after = await podOf(`${name}-cp`);
    expect(kept).toBe('b');
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    expect(after.status?.podIP).toBe(before.status?.podIP);
    expect(await nested('get', 'nodes', '-o', 'name')).toBe(nodes);
  });

  it('has a pool that no other create changes or overlaps', async () => {
    const before = await poolOf(name);
    const overlapping = { ...persistent, name: 'greedy', 'persistent-machine-addresses': '10.85.200.12/31' };
    const refused = await job(overlapping).main();
    expect(refused.log).toMatch(/10\.85\.200\.12-10\.85\.200\.13 overlaps 10\.85\.200\.12 of IPPool lasting\/kept$/m);
    expect(await leftovers(host, namespace, 'greedy')).toEqual([]);
    const other = { ...persistent, name: 'beside', 'worker-machine-count': '0' };
    const beside = await job({
      ...other,
      'persistent-machine-addresses': '10.85.201.10',
      'persistent-host-cluster-cni': 'kube-ovn',
    }).main();
    expect(beside.exitCode, beside.log).toBe(0);
    const { metadata, status } = await podOf('beside-cp');
    expect(metadata.annotations?.['ovn.kubernetes.io/ip_address']).toBe('10.85.201.10');
    expect(status?.podIP).toBe('10.85.201.10');
    const { metadata: pool, spec } = await poolOf(name);
    expect({ uid: pool.uid, spec }).toEqual({ uid: before.metadata.uid, spec: before.spec });
  });

  it('is not scaled beyond its addresses, and loses the disk of a removed machine', async () => {
    const refused = await job({ command: 'scale', namespace, name, replicas: '1:3' }).main();
    expect(refused.exitCode).toBe(1);
    expect(refused.log).toContain('✖ kept cannot have 4 machines: its pool has 3 addresses   KNEST_ADDRESS_POOL');
    const scaled = await job({ command: 'scale', namespace, name, replicas: ':0' }).main();
    expect(scaled.exitCode, scaled.log).toBe(0);
    const volume = ['persistentvolumeclaim,datavolume', '-n', namespace, '-l', `cluster.x-k8s.io/cluster-name=${name}`];
    await expect
      .poll(() => host.kubectl(['get', ...volume, '-o', 'name']), { timeout: 300_000 })
      .toMatch(/^persistentvolumeclaim\/kept-cp-\w+-rootfs\ndatavolume\.cdi\.kubevirt\.io\/kept-cp-\w+-rootfs\n$/);
  });

  it('reports a machine for which the pool has no address', async () => {
    // Somebody else takes the remaining addresses.
    const claims = ['claims-1', 'claims-2'].map((claim) => ({
      apiVersion: 'ipam.metal3.io/v1alpha1',
      kind: 'IPClaim',
      metadata: { name: claim, namespace },
      spec: { pool: { name, namespace } },
    }));
    await host.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: claims }));
    await expect.poll(async () => Object.keys(await givenAddresses(name)), { timeout: 300_000 }).toHaveLength(3);
    const failed = await job({ command: 'scale', namespace, name, replicas: ':1' }).main();
    expect(failed.log).toMatch(
      /✖ kept cannot be scaled: .*no free address for machine kept-md-0-\S+: .* KNEST_ADDRESS_POOL$/m,
    );
    await host.kubectl(['delete', 'ipclaim', 'claims-1', 'claims-2', '-n', namespace]);
  });

  it('leaves no disk and no address when cleanup deletes it', async () => {
    const expiry = 'knest-action/expires-at=2020-01-01T00:00:00Z';
    await host.kubectl(['annotate', 'cluster', 'beside', '-n', namespace, '--overwrite', expiry]);
    const cleaned = await job({ command: 'cleanup', namespace }).main();
    expect(cleaned.exitCode, cleaned.log).toBe(0);
    expect(cleaned.log).toContain('1 of 2 clusters were deleted');
    expect(await leftovers(host, namespace, 'beside')).toEqual([]);
    expect(await leftovers(host, namespace, name)).not.toEqual([]);
  });

  it('is deleted with its disks and addresses', async () => {
    const deleted = await job({ command: 'delete', namespace, name }).main();
    expect(deleted.exitCode, deleted.log).toBe(0);
    expect(await leftovers(host, namespace, name)).toEqual([]);
    await expect.poll(() => volumesFor(host, namespace), { timeout: 300_000 }).toEqual([]);
  });

  it('is refused on a host without a default StorageClass', async () => {
    const isDefault = 'storageclass.kubernetes.io/is-default-class';
    const annotate = (value: string): Promise<string> =>
      host.kubectl(['annotate', '--overwrite', 'storageclass', 'host-path', `${isDefault}=${value}`]);
    await annotate('false');
    const refused = await job({ ...persistent, name: 'diskless' }).main();
    await annotate('true');
    expect(refused.exitCode).toBe(1);
    expect(refused.log).toContain('✖ the host has no default StorageClass');
    expect(refused.log).toContain('Next: make one the default, for example: kubectl patch storageclass host-path');
    expect(await leftovers(host, namespace, 'diskless')).toEqual([]);
  });
});
