import { stringify } from 'yaml';
import { HOST_READER_RULES, LIST_RULES } from '../src/permissions/host-rules.ts';
import { INSTALL_RULES } from '../src/permissions/install-rules.ts';
import { NAMESPACE_RULES } from '../src/permissions/namespace-rules.ts';
import type { Rule } from '../src/permissions/rule.ts';

const NAMESPACE = 'knest';
const ACCOUNT = { kind: 'ServiceAccount', name: 'knest-action', namespace: NAMESPACE };
const API_GROUP = 'rbac.authorization.k8s.io';

/** The manifests in docs/rbac, by file name. */
export function rbacManifests(): Readonly<Record<string, string>> {
  return {
    'namespace.yaml': manifest(
      [
        'All that the action does in the namespace of its clusters, for an account that may do nothing else: create,',
        'scale, upgrade, kubeconfig and delete, on a host where everything is installed (see install.yaml). An account that can',
        'make pods or read secrets in the namespace can do as much: give each team its own namespace. A Role does not limit',
        'what the controllers of a provider do for this account elsewhere: apply admission-policy.yaml too.',
      ],
      [
        object('v1', 'Namespace', NAMESPACE),
        object('v1', 'ServiceAccount', ACCOUNT.name, NAMESPACE),
        role('Role', 'knest-action', NAMESPACE_RULES, NAMESPACE),
        binding('Role', 'knest-action', NAMESPACE),
      ],
    ),
    'host-reader.yaml': manifest(
      [
        'Lets the action look before it makes anything: whether all components run, in which versions, and which',
        'addresses are free. Without it the host is taken as it is, and pod-network-cidr and service-cidr have to be set',
        'when their defaults overlap the addresses of the host.',
      ],
      [
        role('ClusterRole', 'knest-action-host-reader', HOST_READER_RULES),
        binding('ClusterRole', 'knest-action-host-reader'),
      ],
    ),
    'list.yaml': manifest(
      [
        "For command: list with namespace: '*', which shows the clusters of all namespaces and how they are. It shows the",
        'pods of all namespaces too: bind it to an account that may see them.',
      ],
      [role('ClusterRole', 'knest-action-list', LIST_RULES), binding('ClusterRole', 'knest-action-list')],
    ),
    'install.yaml': manifest(
      [
        'Lets the action install what the host lacks: Cluster API, its providers, cert-manager, and Virtink or KubeVirt.',
        'It has to make roles with whatever rules their manifests have, so an account with it can become administrator of',
        'the host.',
        'Bind it for the first create, with namespace.yaml, and take the binding away again.',
      ],
      [role('ClusterRole', 'knest-action-install', INSTALL_RULES), binding('ClusterRole', 'knest-action-install')],
    ),
  };
}

function object(apiVersion: string, kind: string, name: string, namespace?: string): string {
  return stringify({ apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }) } });
}

function role(kind: string, name: string, rules: readonly Rule[], namespace?: string): string {
  return `${object(`${API_GROUP}/v1`, kind, name, namespace)}rules:\n${merged(rules).map(policyRule).join('')}`;
}

/** A rule as RBAC has it, with the reasons for it. */
interface PolicyRule {
  readonly group: string;
  readonly resources: readonly string[];
  readonly names: readonly string[] | undefined;
  readonly verbs: readonly string[];
  readonly reasons: readonly string[];
}

/** One rule for each resource, and one for those of a group that differ in nothing else. */
function merged(rules: readonly Rule[]): readonly PolicyRule[] {
  const all = rules.flatMap(({ resources, names, ...rest }) => resources.map((one) => ({ ...one, names, ...rest })));
  const single = [
    ...Map.groupBy(all, ({ group, resource, names }) => JSON.stringify([group, resource, names])).values(),
  ].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const verbs = [...new Set(same.flatMap((one) => one.verbs))];
    const reasons = [...new Set(same.map(({ reason }) => reason))];
    return [{ group: first.group, resources: [first.resource], names: first.names, verbs, reasons }];
  });
  const alike = Map.groupBy(single, ({ group, names, verbs, reasons }) =>
    JSON.stringify([group, names, verbs, reasons]),
  );
  return [...alike.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [{ ...first, resources: [first, ...others].flatMap(({ resources }) => resources) }],
  );
}

function policyRule({ group, resources, names, verbs, reasons }: PolicyRule): string {
  const list = (words: readonly string[]): string => `[${words.map((word) => word || "''").join(', ')}]`;
  return [
    ...reasons.map((reason) => `  # ${reason}`),
    `  - apiGroups: ${list([group])}`,
    `    resources: ${list(resources)}`,
    ...(names === undefined ? [] : [`    resourceNames: ${list(names)}`]),
    `    verbs: ${list(verbs)}`,
    '',
  ].join('\n');
}

function binding(kind: 'Role' | 'ClusterRole', name: string, namespace?: string): string {
  const bound = { roleRef: { apiGroup: API_GROUP, kind, name }, subjects: [ACCOUNT] };
  return object(`${API_GROUP}/v1`, `${kind}Binding`, name, namespace) + stringify(bound);
}

function manifest(head: readonly string[], documents: readonly string[]): string {
  const comment = [...head, 'Made from src/permissions/ by npm run docs.'].map((line) => `# ${line}\n`);
  return comment.join('') + documents.join('---\n');
}
