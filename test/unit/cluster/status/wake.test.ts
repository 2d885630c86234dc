import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { ClusterView } from '../../../../src/cluster/status/cluster-view.ts';
import { Waker } from '../../../../src/cluster/status/wake.ts';
import type { Machine, VirtualMachine } from '../../../../src/host/api/cluster-api-objects.ts';
import { refusal, type Answer } from '../../../support/api-server.ts';
import { clientOfStore } from '../../host/store.ts';
import { condition, machineOf, viewOf, virtualMachineOf } from '../samples.ts';

type Parts = Parameters<typeof machineOf>[1];

function machine(name: string, { spec, ...parts }: NonNullable<Parts> = {}, kind = 'KubevirtMachine'): Machine {
  return machineOf(name, { spec: { infrastructureRef: { kind, name }, ...spec }, ...parts });
}

function instance(name: string, ready: 'True' | 'False'): VirtualMachine {
  return virtualMachineOf(name, { phase: 'Running', conditions: [condition('Ready', ready)] });
}

const bootstrap = { dataSecretName: 'data' };
const waiting = viewOf({ machines: [machine('m', { spec: { bootstrap } })] });

/** The machines that a waker wakes for by looks at these views, so many milliseconds apart. */
async function woken(views: readonly ClusterView[], pause = 0, answer?: Answer): Promise<readonly unknown[]> {
  const { client, received } = await clientOfStore(() => answer);
  const patch = vi.spyOn(client, 'patch');
  const settle = async (): Promise<void> => {
    await Promise.allSettled(patch.mock.results.map(({ value }) => value as Promise<unknown>));
    await turn(); // so that the waker has seen the answers
  };
  let time = 0;
  const waker = new Waker(client, () => time);
  for (const view of views) {
    waker.wake(view);
    if (pause > 0) await settle();
    time += pause;
  }
  await settle();
  expect(received.map(({ path }) => path.split('?')[0])).toEqual(
    patch.mock.calls.map(([, name]) => expect.stringMatching(`/namespaces/knest/kubevirtmachines/${name}$`) as string),
  );
  return patch.mock.calls.map(([, name]) => name);
}

describe('Waker', () => {
  it.each<[string, ClusterView]>([
    ['has bootstrap data and no VM', waiting],
    ['has a VM that is ready', viewOf({ machines: [machine('m')], virtualMachines: [instance('m', 'True')] })],
  ])('wakes the provider for a machine that %s', async (_what, view) => {
    expect(await woken([view])).toEqual(['m']);
  });

  it.each<[string, Machine, readonly VirtualMachine[]]>([
    ['has no bootstrap data', machine('m'), []],
    ['has a VM that starts', machine('m', { spec: { bootstrap } }), [instance('m', 'False')]],
    ['is a node', machine('m', { status: { nodeRef: { name: 'm' } } }), [instance('m', 'True')]],
    [
      'is being deleted',
      machine('m', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      [instance('m', 'True')],
    ],
    ['is of a provider that watches its VMs', machine('m', { spec: { bootstrap } }, 'VirtinkMachine'), []],
  ])('leaves a machine alone that %s', async (_what, one, virtualMachines) => {
    expect(await woken([viewOf({ machines: [one], virtualMachines })])).toEqual([]);
  });

  it('wakes for a machine again after two seconds, since the provider may have looked too early', async () => {
    expect(await woken([waiting, waiting])).toEqual(['m']);
    expect(await woken([waiting, waiting, waiting], 2_000)).toEqual(['m', 'm', 'm']);
  });

  it('wakes for four machines at once', async () => {
    const machines = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => machine(name, { spec: { bootstrap } }));
    expect(await woken([viewOf({ machines })])).toHaveLength(4);
  });

  it('stops when these credentials may not', async () => {
    expect(await woken([waiting, waiting, waiting], 2_000, refusal(403, 'Forbidden', 'no'))).toEqual(['m']);
  });
});
