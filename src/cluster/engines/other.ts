import type { Engine } from './engine.ts';

/** Every other provider, of whose objects the action knows some names: its clusters come from templates of users. */
export const other: Engine = {
  name: 'other',
  kinds: undefined,
  template: undefined,
  virtualMachines: undefined,
  persistence: undefined,
  // The second is KubeVirt's, which is found by its address. The Secrets are KubeVirt's, too. Source:
  // cluster-api-provider-kubevirt v0.11.2 pkg/loadbalancer/loadbalancer.go, pkg/ssh/cluster_node_ssh_keys.go,
  // controllers/kubevirtmachine_controller.go.
  services: ['', '-lb'],
  secrets: { ofCluster: ['-ssh-keys'], ofMachine: ['-userdata'] },
  controllerNamespaces: [],
  runsPrivilegedPods: ({ spec }) => spec?.infrastructureRef?.kind === 'KubevirtCluster',
};
