import { expect, it } from 'vitest';
import { inMemory } from '../../../../src/cluster/engines/in-memory.ts';
import { other } from '../../../../src/cluster/engines/other.ts';
import { virtink } from '../../../../src/cluster/engines/virtink.ts';
import {
  machineOf,
  parentOf,
  podOf,
  virtualMachineOf,
  watchCluster,
} from '../../../../src/cluster/status/cluster-view.ts';
import * as samples from '../samples.ts';
import { hostWith } from '../../host/fake-host.ts';

const common = ['clusterresourcesets', 'clusters', 'kubeadmcontrolplanes', 'machinedeployments', 'machines'];

it.each([
  [virtink, false, [...common, 'events', 'pods', 'virtualmachines']],
  [virtink, true, [...common, 'datavolumes', 'events', 'pods', 'virtualmachines']],
  [inMemory, false, common],
  [other, false, common],
] as const)('a cluster is watched with what its engine has (%#)', async (engine, persistent, plurals) => {
  const { client, received } = await hostWith({});
  const lists = (): readonly string[] => received.map(({ path }) => path.replace(/\?.*/, '').replace(/^.*\//, ''));
  const abort = new AbortController();
  const parts = { engine, persistent };
  const ended = watchCluster(client, { name: 'pr', namespace: 'knest' }, parts, () => undefined, abort.signal);
  await expect.poll(() => new Set(lists()).size, { timeout: 5_000 }).toBeGreaterThanOrEqual(plurals.length);
  abort.abort(new Error('enough'));
  await expect(ended).rejects.toThrow();
  expect([...new Set(lists())].sort()).toEqual([...plurals].sort());
});

it('a VM and its pod belong to the Machine of their engine alone, whatever else has its name', () => {
  const machine = samples.machineOf('m');
  const [vm, pod] = [samples.virtualMachineOf('m'), samples.podOf('m')];
  const view = samples.viewOf({ machines: [machine], virtualMachines: [vm], pods: [pod] });
  expect([virtualMachineOf(machine, view), podOf(machine, view), machineOf(pod, view)]).toEqual([vm, pod, machine]);
  const foreign = samples.machineOf('m', { spec: { infrastructureRef: { kind: 'DevMachine', name: 'm' } } });
  const beside = { ...view, machines: [foreign] };
  expect([virtualMachineOf(foreign, beside), podOf(foreign, beside), machineOf(pod, beside)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

it('the parent of a Machine is its owner, whatever else has a name that begins like it', () => {
  const [controlPlane, workers] = [
    samples.scalable('KubeadmControlPlane', 'pr'),
    samples.scalable('MachineDeployment', 'pr'),
  ];
  const more = samples.scalable('MachineDeployment', 'pr-md');
  const view = samples.viewOf({ controlPlanes: [controlPlane], machineDeployments: [workers, more] });
  const named = 'pr-md-x';
  const owned = [controlPlane, workers, more].map((parent) =>
    parentOf(samples.machineOf(named, { metadata: samples.ownedBy(parent) }), view),
  );
  expect(owned).toEqual([controlPlane, workers, more]);
  expect(parentOf(samples.machineOf(named), view)).toBeUndefined();
  const { labels = {} } = samples.ownedBy(more);
  expect(parentOf(samples.machineOf(named, { metadata: { labels } }), view)).toBeUndefined();
});
