import { Kinds } from '../../host/api/kinds.ts';
import type { Engine, EngineKinds } from './engine.ts';

const kinds: EngineKinds = {
  cluster: Kinds.devCluster,
  machine: Kinds.devMachine,
  machineTemplate: Kinds.devMachineTemplate,
};

/** Cluster API's in-memory machines: its provider pretends to have them, and the host has neither VMs nor pods of them. */
export const inMemory: Engine = {
  name: 'in-memory',
  kinds,
  template: {
    kinds: [kinds.cluster, kinds.machineTemplate],
    machines: 'in-memory machines',
    withoutCni: 'none, and in-memory nodes need none',
  },
  virtualMachines: undefined,
  persistence: undefined,
  images: undefined,
  services: [],
  refusedService: undefined,
  isSlowToLook: false,
  secrets: { ofCluster: [], ofMachine: [] },
  controllerNamespaces: [],
  runsPrivilegedPods: () => false,
};
