import { Kinds } from '../host/api/kinds.ts';
import { resource, rule, type Rule } from './rule.ts';

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
    ],
    ['create'],
  ),
  rule(
    'to install KubeVirt',
    INSTALL,
    [resource('kubevirt.io', 'kubevirts'), resource('scheduling.k8s.io', 'priorityclasses')],
    ['create'],
    { feature: 'kubevirt' },
  ),
  rule('to install CDI', INSTALL, [resource('cdi.kubevirt.io', 'cdis')], ['create'], { feature: 'persistent' }),
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
