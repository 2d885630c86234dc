import { describe, expect, it } from 'vitest';
import { virtualMachines } from '../../../../src/cluster/engines/virtink.ts';
import { kubevirt } from '../../../../src/cluster/engines/kubevirt.ts';
import { checkCapacity, describeMissingDevice } from '../../../../src/cluster/machines/capacity.ts';
import type { Node } from '../../../../src/host/api/objects.ts';
import { Kinds } from '../../../../src/host/api/kinds.ts';
import { unlessForbidden } from '../../../../src/host/api/api-error.ts';
import { readCreate } from '../../inputs/given-inputs.ts';
import { hostWith } from '../../host/fake-host.ts';

const node = (name: string, cpu: string, memory: string): object => ({
  metadata: { name },
  status: { allocatable: { cpu, memory } },
});

async function check(nodes: unknown, given: Readonly<Record<string, string>> = {}): Promise<void> {
  const { client } = await hostWith({ '/api/v1/nodes': nodes });
  const { controlPlane, workers } = readCreate(given);
  const found = await unlessForbidden(client.list(Kinds.node), []);
  checkCapacity(found, { 'control-plane': controlPlane, worker: workers }, virtualMachines);
}

describe('checkCapacity', () => {
  const nodes = { items: [node('small', '2', '4Gi'), node('large', '1930m', '24689512Ki')] };

  it('accepts machines that fit on some node', async () => {
    await expect(check(nodes)).resolves.toBeUndefined();
    await expect(check(nodes, { 'worker-machine-memory-size': '23Gi' })).resolves.toBeUndefined();
  });

  it('refuses a machine that is larger than every node, and lists the nodes', async () => {
    await expect(check(nodes, { 'control-plane-machine-memory-size': '999Gi' })).rejects.toMatchObject({
      code: 'KNEST_UNSCHEDULABLE',
      problem:
        'a control-plane machine does not fit on any node of the host: with its hypervisor it requests 1023232Mi of memory and 200m of CPU',
      evidence: [
        'Node large: memory 24689512Ki, CPU 1930m (allocatable)',
        'Node small: memory 4Gi, CPU 2 (allocatable)',
      ],
      next: 'lower control-plane-machine-memory-size or control-plane-machine-cpu-cores, or add a larger node to the host',
    });
    await expect(check(nodes, { 'worker-machine-cpu-cores': '256' })).rejects.toMatchObject({
      problem: expect.stringContaining('a worker machine does not fit on any node') as string,
    });
  });

  it('requires one node with enough of both', async () => {
    const lopsided = { items: [node('cpu', '64', '2Gi'), node('memory', '1', '64Gi')] };
    const given = { 'control-plane-machine-cpu-cores': '20', 'control-plane-machine-memory-size': '8Gi' };
    await expect(check(lopsided, given)).rejects.toMatchObject({ code: 'KNEST_UNSCHEDULABLE' });
  });

  it('ignores the size of workers when there are none', async () => {
    const given = { 'worker-machine-count': '0', 'worker-machine-memory-size': '999Gi' };
    await expect(check(nodes, given)).resolves.toBeUndefined();
  });

  it.each([false, { items: [] }, { items: [{ metadata: { name: 'silent' } }] }])(
    'succeeds when the size of nodes is not known: %j',
    async (unread) => {
      await expect(check(unread, { 'worker-machine-memory-size': '999Gi' })).resolves.toBeUndefined();
    },
  );
});

describe('describeMissingDevice', () => {
  const schedulable = { 'kubevirt.io/schedulable': 'true' };
  const nodeWith = (labels: Readonly<Record<string, string>>, kvm?: string): Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n', labels },
    status: { allocatable: { cpu: '2', ...(kvm !== undefined && { 'devices.kubevirt.io/kvm': kvm }) } },
  });
  const described = (...nodes: readonly Node[]): string | undefined => {
    const engine = kubevirt.virtualMachines;
    if (engine === undefined) throw new Error('KubeVirt has virtual machines');
    return describeMissingDevice(nodes, engine);
  };

  it('warns when KubeVirt runs on nodes, and none of them has KVM', () => {
    expect(described(nodeWith(schedulable), nodeWith(schedulable, '0'))).toMatch(/devices\.kubevirt\.io\/kvm/);
    // The device of a node that KubeVirt does not use is of no use.
    expect(described(nodeWith(schedulable), nodeWith({}, '1k'))).toMatch(/devices\.kubevirt\.io\/kvm/);
  });

  it('is silent when one has it, where KubeVirt is still to be installed, and about Virtink', () => {
    expect(described(nodeWith(schedulable), nodeWith(schedulable, '1k'))).toBeUndefined();
    expect(described(nodeWith({}))).toBeUndefined();
    expect(described()).toBeUndefined();
    expect(describeMissingDevice([nodeWith(schedulable)], virtualMachines)).toBeUndefined();
  });
});
