import type { Engine } from './engine.ts';

/** A provider that the action knows nothing about: its clusters come from templates of users. */
export const other: Engine = {
  name: 'other',
  kinds: undefined,
  template: undefined,
  virtualMachines: undefined,
  persistence: undefined,
  // The second is the name that the provider for KubeVirt gives.
  services: ['', '-lb'],
  controllerNamespaces: [],
  runsPrivilegedPods: ({ spec }) => spec?.infrastructureRef?.kind === 'KubevirtCluster',
};
