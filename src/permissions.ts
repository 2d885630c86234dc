import { groupOf, Kinds, type Kind } from './host/api/kinds.ts';
import type { Permission } from './host/preflight.ts';
import {
  AWAITED_EVERYWHERE,
  AWAITED_WHERE_SERVED,
  DISK_KINDS,
  FOLLOWED_KINDS,
  OWNER_KINDS,
  VIRTUAL_MACHINE_KINDS,
} from './cluster/engines/cluster-kinds.ts';
import type { EngineName } from './cluster/engines/engine.ts';
import { ENGINES, PERSISTENT_ENGINES } from './cluster/engines/engines.ts';
import type { Inputs } from './inputs.ts';

// All that the action asks of a host. docs/rbac is made from these tables (npm run docs), and what a command cannot do
// without is checked before it begins. A test on a real host has every command run with nothing else.

type Command = Inputs['command'];

/** What some clusters have and others do not. */
export type Feature = EngineName | 'cni' | 'persistent';

/** Something the action does on a host, as a rule of a Role says it. */
export interface Rule {
  /** The end of a sentence. */
  readonly reason: string;
  readonly verbs: readonly string[];
  readonly resources: readonly Resource[];
  /** The commands that fail without it; any other tells less then. */
  readonly neededBy: readonly Command[];
  /** Undefined: needed by every cluster. */
  readonly feature?: Feature;
  /** The only objects it is about. */
  readonly names?: readonly string[];
}

/** Kinds as RBAC names them. */
interface Resource {
  readonly group: string;
  readonly resource: string;
}

function resource(group: string, resource: string): Resource {
  return { group, resource };
}

function rule(
  reason: string,
  verbs: readonly string[],
  what: readonly (Kind | Resource)[],
  neededBy: readonly Command[] = [],
  more: Pick<Rule, 'feature' | 'names'> = {},
): Rule {
  return { reason, verbs, resources: what.map(resourceOf), neededBy, ...more };
}

function resourceOf(what: Kind | Resource): Resource {
  if ('group' in what) return what;
  return resource(groupOf(what), what.plural);
}

/** A create looks for an object that is in the way, and never applies one over another. */
const MAKE = ['get', 'create'];
const FOLLOW = ['list', 'watch'];
const persistent = { feature: 'persistent' } as const;

/** In the namespace of the clusters: all that every command does there. */
export const NAMESPACE_RULES: readonly Rule[] = [
  rule(
    'to find the clusters that have expired and delete them',
    ['list', 'watch', 'get', 'delete'],
    [Kinds.cluster],
    ['cleanup'],
  ),
  rule('to find the cluster', ['get'], [Kinds.cluster], ['create', 'delete', 'scale', 'kubeconfig']),
  rule('to list the clusters', ['list'], [Kinds.cluster], ['list']),
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
  rule('to install the CNI', MAKE, [Kinds.clusterResourceSet, Kinds.secret], ['create'], { feature: 'cni' }),
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
    ['create', 'scale', 'delete'],
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
  rule('to find out why a machine does not start', ['get'], [resource('', 'pods/log')]),
  rule('to find out why a machine does not start', FOLLOW, [Kinds.event]),
  rule('to find out why a machine does not start', ['list'], [Kinds.kubeadmConfig]),
  rule('to read the kubeconfig of the cluster', ['get'], [Kinds.secret], ['create', 'kubeconfig']),
  rule('to find a way to its API server', ['get'], [Kinds.service], ['create', 'kubeconfig']),
  rule('to change the number of its machines', ['get', 'patch'], [Kinds.kubeadmControlPlane], ['scale']),
  rule('to change the number of its machines', ['patch'], [Kinds.machineDeployment], ['scale']),
  rule('to change the number of its machines, where a ClusterClass decides', ['patch'], [Kinds.cluster]),
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
  rule('to check that the namespace exists', ['get'], [Kinds.namespace]),
];

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

const INSTALL = ['get', 'list', 'watch', 'create', 'update', 'patch'];
const WEBHOOKS = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'];
const ROLES = ['clusterroles', 'roles'];
const BINDINGS = ['clusterrolebindings', 'rolebindings'];
const RBAC = 'rbac.authorization.k8s.io';

/** On the host as a whole, to install what it lacks. An account that may create any role may do everything. */
export const INSTALL_RULES: readonly Rule[] = [
  rule(
    'to install what the host lacks',
    INSTALL,
    [
      Kinds.namespace,
      Kinds.customResourceDefinition,
      Kinds.deployment,
      Kinds.daemonSet,
      Kinds.service,
      resource('', 'serviceaccounts'),
      Kinds.configMap,
      Kinds.secret,
      ...WEBHOOKS.map((name) => resource('admissionregistration.k8s.io', name)),
      ...[...ROLES, ...BINDINGS].map((name) => resource(RBAC, name)),
      ...['issuers', 'certificates'].map((name) => resource('cert-manager.io', name)),
      Kinds.provider,
      resource('cdi.kubevirt.io', 'cdis'),
      resource('kubevirt.io', 'kubevirts'),
      resource('scheduling.k8s.io', 'priorityclasses'),
    ],
    ['create'],
  ),
  rule(
    'to grant installed components the roles in their manifests',
    ['bind', 'escalate'],
    ROLES.map((name) => resource(RBAC, name)),
    ['create'],
  ),
  // `clusterctl init` tries cert-manager out there. Source: cluster-api cmd/clusterctl/client/cluster/cert_manager.go.
  rule('to delete what clusterctl creates to test cert-manager', ['delete'], [Kinds.namespace], [], {
    names: ['cert-manager-test'],
  }),
  rule(
    'to delete what clusterctl creates to test cert-manager',
    ['delete'],
    ['issuers', 'certificates'].map((name) => resource('cert-manager.io', name)),
    [],
    { names: ['test-selfsigned', 'selfsigned-cert'] },
  ),
  rule('to let one job install at a time', ['get', 'create', 'update'], [Kinds.lease], ['create']),
  rule('to find out why an installed component does not start', ['list'], [Kinds.pod]),
  rule('to find out which of its pods the host rejects', ['list', 'watch'], [Kinds.event]),
];

/** The file that grants a table of rules to an account. */
const NAMESPACE_FILE = 'docs/rbac/namespace.yaml';
const INSTALL_FILE = 'docs/rbac/install.yaml';

/** What a command cannot do without in the cluster's namespace, for a cluster with these features. */
export function permissionsOf(
  command: Command,
  namespace: string,
  features: readonly Feature[] = [],
): readonly Permission[] {
  const needed = NAMESPACE_RULES.filter(
    (candidate) =>
      candidate.neededBy.includes(command) && (candidate.feature === undefined || features.includes(candidate.feature)),
  );
  return permissions(needed, NAMESPACE_FILE, namespace);
}

/** What installing cannot do without on the host as a whole. */
export function installPermissions(): readonly Permission[] {
  const needed = INSTALL_RULES.filter(({ neededBy }) => neededBy.length > 0);
  // An account that may create objects of a kind may read them: a request for each verb of each kind would be too many.
  const telling = needed.map(({ verbs, ...rest }) => ({
    ...rest,
    verbs: verbs.filter((verb) => !['get', 'list', 'watch', 'update', 'patch'].includes(verb)),
  }));
  return permissions(telling, INSTALL_FILE);
}

function permissions(rules: readonly Rule[], grantedBy: string, namespace?: string): readonly Permission[] {
  const all = rules.flatMap(({ reason, verbs, resources }) =>
    resources.flatMap((one) =>
      verbs.map((verb): Permission => {
        const where = namespace === undefined ? {} : { namespace };
        return { verb, ...one, ...where, reason, grantedBy };
      }),
    ),
  );
  // Two rules may ask for the same permission; the message has the reason of the first.
  const keyed = new Map(all.toReversed().map((one) => [`${one.verb} ${one.group}/${one.resource}`, one]));
  return [...keyed.values()].toReversed();
}
