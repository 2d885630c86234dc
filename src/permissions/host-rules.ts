import { VIRTUAL_MACHINE_KINDS } from '../cluster/engines/cluster-kinds.ts';
import { Kinds } from '../host/api/kinds.ts';
import { rule, type Rule } from './rule.ts';

/** On the host as a whole, to look before anything is made: without them the action trusts that all is well. */
export const HOST_READER_RULES: readonly Rule[] = [
  rule(
    'to see what is installed',
    ['list'],
    [Kinds.customResourceDefinition, Kinds.provider, Kinds.deployment, Kinds.daemonSet],
  ),
  rule(
    'to see which addresses the host uses, at which address jobs reach it, and how large its nodes are',
    ['list'],
    [Kinds.node, Kinds.serviceCidr],
  ),
  rule('to see which addresses the host uses', ['get'], [Kinds.configMap], [], { names: ['kubeadm-config'] }),
  rule('to see whether machines reach the Services of a host with Cilium', ['get'], [Kinds.configMap], [], {
    names: ['cilium-config'],
  }),
  rule('to see which addresses the pools of other clusters have', ['list'], [Kinds.ipPool]),
  rule("to see which addresses the host's CNI can give", ['list'], [Kinds.calicoIpPool, Kinds.kubeOvnSubnet]),
  rule('to check that disks can be created', ['list'], [Kinds.storageClass]),
  rule(
    "to see which packets the host's Calico drops",
    ['list'],
    [Kinds.felixConfiguration, Kinds.felixConfigurationV3],
  ),
];

/** On the host as a whole, for `list` with `namespace: '*'`. */
export const LIST_RULES: readonly Rule[] = [
  rule('to list the clusters of all namespaces', ['list'], [Kinds.cluster], ['list']),
  rule('to report the state of these clusters', ['list'], [Kinds.machine, ...VIRTUAL_MACHINE_KINDS, Kinds.pod]),
];
