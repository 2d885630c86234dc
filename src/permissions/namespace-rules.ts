import {
  AWAITED_EVERYWHERE,
  AWAITED_WHERE_SERVED,
  DISK_KINDS,
  FOLLOWED_KINDS,
  OWNER_KINDS,
  VIRTUAL_MACHINE_KINDS,
} from '../cluster/engines/cluster-kinds.ts';
import { ENGINES, PERSISTENT_ENGINES } from '../cluster/engines/engines.ts';
import { Kinds } from '../host/api/kinds.ts';
import { resource, rule, type Rule } from './rule.ts';

/** A create looks for an object that is in the way, and never applies one over another. */
const MAKE = ['get', 'create'];
const FOLLOW = ['list', 'watch'];
const persistent = { feature: 'persistent' } as const;
const tunnel = { feature: 'tunnel' } as const;
const registry = { feature: 'registry' } as const;
const TUNNEL_COMMANDS = ['create', 'scale', 'upgrade', 'kubeconfig'] as const;
const REGISTRY_COMMANDS = ['create', 'kubeconfig'] as const;

/** In the namespace of the clusters: all that every command does there. */
export const NAMESPACE_RULES: readonly Rule[] = [
  rule(
    'to find the clusters that have expired and delete them',
    ['list', 'watch', 'get', 'delete'],
    [Kinds.cluster],
    ['cleanup'],
  ),
  rule('to find the cluster', ['get'], [Kinds.cluster], ['create', 'delete', 'scale', 'upgrade', 'kubeconfig']),
  rule('to list the clusters', ['list'], [Kinds.cluster], ['list']),
  rule(
    'to find the clusters of a pool, and delete those that are too many',
    ['list', 'delete'],
    [Kinds.cluster],
    ['pool'],
  ),
  rule('to create the cluster, or adopt it', ['create', 'patch'], [Kinds.cluster], ['create']),
  rule(
    'to create the cluster',
    MAKE,
    [Kinds.kubeadmControlPlane, Kinds.machineDeployment, Kinds.kubeadmConfigTemplate],
    ['create'],
  ),
  ...ENGINES.flatMap(({ name, template }) =>
    template === undefined
      ? []
      : [rule(`to create the cluster of ${template.machines}`, MAKE, template.kinds, ['create'], { feature: name })],
  ),
  rule('to install the CNI and add-ons', MAKE, [Kinds.clusterResourceSet, Kinds.secret], ['create'], {
    feature: 'addons',
  }),
  rule('to have Cluster API install at once what it could not before', ['patch'], [Kinds.clusterResourceSet], [], {
    feature: 'addons',
  }),
  rule('to assign addresses to its machines', MAKE, [Kinds.ipPool], ['create'], persistent),
  rule('to follow the import of its disks', FOLLOW, [Kinds.dataVolume], ['create'], persistent),
  rule(
    'to delete the disks of its machines with them',
    ['get', 'list', 'patch', 'delete'],
    DISK_KINDS,
    ['create'],
    persistent,
  ),
  rule(
    'to see which disks are those of its machines',
    ['list'],
    [...PERSISTENT_ENGINES.map(({ machine }) => machine), ...OWNER_KINDS],
    ['create'],
    persistent,
  ),
  rule(
    'to follow the progress of the cluster',
    FOLLOW,
    [Kinds.cluster, ...Object.values(FOLLOWED_KINDS)],
    ['create', 'scale', 'upgrade', 'delete'],
  ),
  ...ENGINES.flatMap(({ name, virtualMachines }) =>
    virtualMachines === undefined
      ? []
      : [
          rule(
            'to follow the progress of its virtual machines',
            FOLLOW,
            [virtualMachines.kind, Kinds.pod],
            ['create'],
            {
              feature: name,
            },
          ),
        ],
  ),
  ...ENGINES.filter(({ isSlowToLook }) => isSlowToLook).map(({ name: feature, kinds }) =>
    rule('to have its provider look at a machine at once', ['patch'], kinds ? [kinds.machine] : [], [], { feature }),
  ),
  rule('to find out why a machine does not start', ['get'], [resource('', 'pods/log')]),
  rule('to find out why a machine does not start', FOLLOW, [Kinds.event]),
  rule('to find out why a machine does not start', ['list'], [Kinds.kubeadmConfig]),
  rule('to read the kubeconfig of the cluster', ['get'], [Kinds.secret], ['create', 'upgrade', 'kubeconfig']),
  rule('to find a way to its API server', ['get'], [Kinds.service], ['create', 'upgrade', 'kubeconfig']),
  rule('to make the relay of the tunnel', ['get', 'create', 'patch'], [Kinds.deployment], TUNNEL_COMMANDS, tunnel),
  rule('to follow the relay of the tunnel', FOLLOW, [Kinds.pod], TUNNEL_COMMANDS, tunnel),
  // The handshake is a GET; from Kubernetes 1.35 on, it takes `create` as well.
  rule(
    'to connect to the relay of the tunnel',
    ['get', 'create'],
    [resource('', 'pods/portforward')],
    TUNNEL_COMMANDS,
    tunnel,
  ),
  rule('to end the tunnel as soon as the cluster is deleted', FOLLOW, [Kinds.cluster], [], tunnel),
  rule(
    'to make the registry of the cluster',
    MAKE,
    [Kinds.deployment, Kinds.service, Kinds.networkPolicy, Kinds.clusterResourceSet, Kinds.secret],
    ['create'],
    registry,
  ),
  rule('to follow the registry of the cluster', FOLLOW, [Kinds.pod], REGISTRY_COMMANDS, registry),
  rule('to follow the registry of the cluster', ['get'], [Kinds.deployment], REGISTRY_COMMANDS, registry),
  rule(
    'to connect to the registry of the cluster',
    ['get', 'create'],
    [resource('', 'pods/portforward')],
    REGISTRY_COMMANDS,
    registry,
  ),
  rule(
    'to find volumes on the disks of machines before they are removed',
    ['get'],
    [Kinds.secret, Kinds.service],
    ['scale'],
    { feature: 'local-volumes' },
  ),
  rule('to change the number of its machines', ['get', 'patch'], [Kinds.kubeadmControlPlane], ['scale']),
  rule('to change the number of its machines', ['patch'], [Kinds.machineDeployment], ['scale']),
  rule('to change the number of its machines, where a ClusterClass decides', ['patch'], [Kinds.cluster]),
  rule('to mark the cluster while it is upgraded', ['patch'], [Kinds.cluster], ['upgrade']),
  rule('to upgrade its machines', ['get', 'patch'], [Kinds.kubeadmControlPlane], ['upgrade']),
  rule('to upgrade its machines', ['get', 'patch'], [Kinds.machineDeployment], ['upgrade']),
  rule('to see which flags its kubelets have', ['get'], [Kinds.kubeadmConfigTemplate], ['upgrade']),
  ...ENGINES.flatMap(({ name, kinds, images }) =>
    kinds === undefined || images === undefined
      ? []
      : [
          rule(
            'to have its machines boot another image',
            ['get', 'create', 'delete'],
            [kinds.machineTemplate],
            ['upgrade'],
            { feature: name },
          ),
        ],
  ),
  rule('to see whether there is quota for one more machine', ['list'], [Kinds.resourceQuota]),
  rule('to delete the cluster', ['delete'], [Kinds.cluster], ['create', 'delete']),
  rule('to check that nothing is left of the cluster', FOLLOW, AWAITED_EVERYWHERE, ['delete']),
  // By their names: an account that lists Secrets sees all of the namespace.
  rule('to check that nothing is left of the cluster', ['get'], [Kinds.secret], ['delete']),
  rule('to check that nothing is left of its machines', FOLLOW, [
    ...AWAITED_WHERE_SERVED,
    Kinds.clusterResourceSetBinding,
  ]),
  rule('to report the state of the clusters', ['list'], [Kinds.machine, ...VIRTUAL_MACHINE_KINDS, Kinds.pod]),
  rule('to read a template of your own', ['get'], [Kinds.configMap]),
  rule('to see how much its machines may write', ['list'], [Kinds.limitRange]),
  rule('to check that the namespace exists', ['get'], [Kinds.namespace]),
];
