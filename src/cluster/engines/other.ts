import type { Engine } from './engine.ts';

/** Every other provider, of whose objects the action knows some names: its clusters come from templates of users. */
export const other: Engine = {
  name: 'other',
  kinds: undefined,
  template: undefined,
  virtualMachines: undefined,
  persistence: undefined,
  images: undefined,
  services: [''],
  refusedService: undefined,
  isSlowToLook: false,
  secrets: { ofCluster: [], ofMachine: [] },
  controllerNamespaces: [],
  runsPrivilegedPods: () => false,
};
