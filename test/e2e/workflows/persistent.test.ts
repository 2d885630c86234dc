import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectGone } from '../expect.ts';
import { sharedHost, volumesFor } from '../support.ts';
import { Act, namespace, type Trigger } from './act.ts';

const host = sharedHost();
const file = 'persistent.yml';
const name = 'durable';
const address = '10.85.210.10';

/** Starts the workflow by hand with these inputs, and its defaults for the others. */
function byHand(inputs: Readonly<Record<string, string>>): Trigger {
  return { event: 'workflow_dispatch', payload: { inputs: { ...inputs, name } } };
}

describe(`workflows/${file}`, { timeout: 8 * 60_000 }, () => {
  let act: Act;
  beforeAll(async () => {
    act = await Act.prepare(host);
  });
  afterAll(() => act.clean());

  const create = byHand({ 'worker-machine-count': '0', 'persistent-machine-addresses': address });
  const get = (what: readonly string[], path: string): Promise<string> =>
    host.kubectl(['get', ...what, '-n', namespace, '-o', `jsonpath=${path}`]);
  /** The cluster, its pool and its disk, with the UIDs that tell them from later ones of the same name. */
  const lasting = async (): Promise<readonly string[]> => {
    const kinds = 'clusters.cluster.x-k8s.io,ippools.ipam.metal3.io,persistentvolumeclaims';
    const lines = await get([kinds], '{range .items[*]}{.kind} {.metadata.name} {.metadata.uid}{"\\n"}{end}');
    return lines.split('\n').filter((line) => line.includes(` ${name}`));
  };

  it('creates a cluster that stays, adopts it the next time, and deletes it with its disk on request', async ({
    skip,
  }) => {
    skip(!host.hasVirtink, 'the release assets of Virtink are not available');
    const first = await act.run([file], create);
    expect(first.code, first.log).toBe(0);
    expect(first.log).toContain(`Cluster ${namespace}/${name} is created`);
    expect(first.log).toContain(`${namespace}/${name} is not ephemeral: it stays`);
    expect(first.log).not.toContain('Delete the cluster');
    // One machine, at its address: by default, the workflow requests it with the annotations of Calico.
    const pods = ['pods', '-l', `cluster.x-k8s.io/cluster-name=${name}`];
    expect(await get(pods, '{.items[*].status.podIP}')).toBe(address);
    const made = await lasting();
    expect(made.map((line) => line.split(' ')[0])).toEqual(['Cluster', 'IPPool', 'PersistentVolumeClaim']);
    expect(await volumesFor(host, namespace)).toHaveLength(1);

    const second = await act.run([file], create);
    expect(second.code, second.log).toBe(0);
    expect(second.log).toContain(`Cluster ${namespace}/${name} already exists and is adopted`);
    expect(await lasting()).toEqual(made);

    const deleted = await act.run([file], byHand({ command: 'delete' }));
    expect(deleted.code, deleted.log).toBe(0);
    expect(deleted.log).toContain(`${name} is gone after`);
    expect(deleted.log).not.toContain('Create the cluster');
    // This also looks for the PersistentVolumeClaim and the address pool.
    await expectGone(host, namespace, name);
    await expect.poll(() => volumesFor(host, namespace), { timeout: 300_000 }).toEqual([]);
  });
});
