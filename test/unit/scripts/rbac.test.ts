import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { staleDocuments } from '../../../scripts/docs.ts';
import { rbacManifests } from '../../../scripts/rbac.ts';
import { installPermissions, permissionsOf } from '../../../src/permissions/permissions.ts';
import type { Feature } from '../../../src/permissions/rule.ts';
import { COMMANDS } from '../../../src/inputs.ts';

const docs = new URL('../../../docs/', import.meta.url);

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

function read(file: string): readonly Manifest[] {
  const documents = parseAllDocuments(readFileSync(new URL(file, docs), 'utf8'));
  return documents.map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  });
}

/** Each `verb resource.group` that a file of docs/rbac grants on all objects. */
function granted(file: string): ReadonlySet<string> {
  const rules = read(file).flatMap((manifest) => manifest.rules ?? []);
  return new Set(
    rules
      .filter(({ resourceNames }) => resourceNames === undefined)
      .flatMap(({ apiGroups, resources, verbs }) =>
        apiGroups.flatMap((group) => resources.flatMap((name) => verbs.map((verb) => `${verb} ${name}.${group}`))),
      ),
  );
}

describe('docs/rbac', () => {
  it('lets an account of a namespace get and create Secrets, but not list or change them', () => {
    const grants = [...granted('rbac/namespace.yaml')].filter((grant) => grant.endsWith(' secrets.'));
    expect(grants.sort()).toEqual(['create secrets.', 'get secrets.']);
  });

  it('matches the table of permissions', async () => {
    expect(await staleDocuments()).toEqual([]);
    const written = ['admission-policy.yaml'];
    const files = globSync('*', { cwd: new URL('rbac/', docs) }).sort();
    expect(files).toEqual([...Object.keys(rbacManifests()), ...written].sort());
  });

  it.each(COMMANDS)('grants what %s checks first, in the file that the error names', (command) => {
    for (const features of [
      ['virtink', 'addons', 'persistent'],
      ['in-memory', 'local-volumes', 'tunnel'],
    ] as const) {
      const needed = permissionsOf(command, 'team', features);
      expect(needed.length).toBeGreaterThan(0);
      for (const { verb, resource, group, grantedBy, namespace } of needed) {
        expect(grantedBy).toBe('docs/rbac/namespace.yaml');
        expect(namespace).toBe('team');
        expect(granted('rbac/namespace.yaml')).toContain(`${verb} ${resource}.${group}`);
      }
    }
  });

  it('grants list in all namespaces for everything that it lists in one, in the file that the error names', () => {
    const asked = [
      'clusters.cluster.x-k8s.io',
      'machines.cluster.x-k8s.io',
      'virtualmachines.virt.virtink.smartx.com',
      'virtualmachineinstances.kubevirt.io',
      'pods.',
    ];
    expect([...granted('rbac/list.yaml')].sort()).toEqual(asked.map((what) => `list ${what}`).sort());
    for (const grant of granted('rbac/list.yaml')) expect(granted('rbac/namespace.yaml')).toContain(grant);
    const error = readFileSync(new URL('../src/commands/list.ts', docs), 'utf8');
    expect(error).toContain('bind docs/rbac/list.yaml of knest-action');
  });

  it('grants what installing checks, in the file that the error names', () => {
    const needed = installPermissions(['kubevirt', 'persistent']);
    expect(needed.length).toBeGreaterThan(10);
    const parts = ['kubevirts', 'priorityclasses', 'cdis'];
    expect(needed.map(({ resource }) => resource)).toEqual(expect.arrayContaining(parts));
    // What installs no KubeVirt does without these.
    expect(installPermissions(['virtink']).filter(({ resource }) => parts.includes(resource))).toEqual([]);
    for (const { verb, resource, group, grantedBy, namespace } of needed) {
      expect([grantedBy, namespace]).toEqual(['docs/rbac/install.yaml', undefined]);
      expect(granted('rbac/install.yaml')).toContain(`${verb} ${resource}.${group}`);
    }
  });

  it('grants no wildcards, and nothing outside the namespace to an account that only uses it', () => {
    for (const file of globSync('rbac/*', { cwd: docs })) {
      for (const grant of granted(file)) expect(grant).not.toContain('*');
    }
    const roles = read('rbac/namespace.yaml').filter(({ rules }) => rules !== undefined);
    expect(roles.map(({ kind }) => kind)).toEqual(['Role']);
    const reads = [...granted('rbac/host-reader.yaml')].filter((grant) => !/^(get|list|watch) /.test(grant));
    expect(reads).toEqual([]);
  });

  it('requires only permissions that the cluster needs', () => {
    const resources = (...features: Feature[]): readonly string[] =>
      permissionsOf('create', 'team', features).map(({ resource }) => resource);
    expect(resources('virtink')).toContain('virtinkclusters');
    expect(resources('virtink')).not.toContain('devclusters');
    expect(resources('in-memory')).toContain('devclusters');
    expect(resources('in-memory')).not.toContain('virtualmachines');
    const madeForCni = (...features: Feature[]): boolean =>
      permissionsOf('create', 'team', features).some(
        ({ verb, resource }) => `${verb} ${resource}` === 'create clusterresourcesets',
      );
    expect([madeForCni('in-memory'), madeForCni('in-memory', 'addons')]).toEqual([false, true]);
    expect(resources('virtink')).not.toContain('ippools');
    expect(resources('virtink', 'persistent')).toContain('ippools');
  });

  it('requires a way into the cluster of a scale only where volumes could be lost', () => {
    const isAsked = (features: readonly Feature[]): boolean =>
      permissionsOf('scale', 'team', features).some(({ resource }) => resource === 'secrets');
    expect([isAsked([]), isAsked(['local-volumes'])]).toEqual([false, true]);
  });

  it('requires each verb of each kind once', () => {
    const keys = permissionsOf('create', 'team', ['virtink', 'addons', 'persistent']).map(
      ({ verb, group, resource }) => `${verb} ${group}/${resource}`,
    );
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('docs/rbac/admission-policy.yaml', () => {
  const [policy, binding] = read('rbac/admission-policy.yaml') as unknown as readonly [
    { readonly metadata: { readonly name: string }; readonly spec: PolicySpec },
    { readonly spec: { readonly policyName: string; readonly matchResources: object } },
  ];

  interface PolicySpec {
    readonly failurePolicy: string;
    readonly matchConstraints: {
      readonly resourceRules: readonly {
        readonly apiGroups: readonly string[];
        readonly resources: readonly string[];
      }[];
    };
  }

  it('covers every kind of an infrastructure provider that the Role allows an account to create', () => {
    const [rule, ...more] = policy.spec.matchConstraints.resourceRules;
    expect(more).toEqual([]);
    const group = 'infrastructure.cluster.x-k8s.io';
    const created = [...granted('rbac/namespace.yaml')].flatMap((grant) => {
      const [, resource = '', granted] = /^(?:create|patch|update) ([^.]+)\.(.*)$/.exec(grant) ?? [];
      return granted === group ? resource : [];
    });
    expect(rule?.apiGroups).toEqual([group]);
    expect(created.length).toBeGreaterThan(2);
    expect(created.filter((resource) => !(rule?.resources ?? []).includes(resource))).toEqual([]);
  });

  it('refuses objects that it cannot evaluate, in the namespace of the Role', () => {
    expect(policy.spec.failurePolicy).toBe('Fail');
    expect(binding.spec.policyName).toBe(policy.metadata.name);
    const namespace = read('rbac/namespace.yaml').find(({ kind }) => kind === 'Role')?.metadata.namespace;
    expect(binding.spec.matchResources).toEqual({
      namespaceSelector: {
        matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: [namespace] }],
      },
    });
  });
});

describe('docs/oidc', () => {
  it('binds a user of its authentication configuration to the Role of docs/rbac', () => {
    const [binding] = read('oidc/role-binding.yaml');
    const role = read('rbac/namespace.yaml').find(({ kind }) => kind === 'Role');
    expect(binding).toMatchObject({
      roleRef: { kind: 'Role', name: role?.metadata.name },
      metadata: { namespace: role?.metadata.namespace },
      subjects: [{ kind: 'User', name: expect.stringMatching(/^github-actions:\d+$/) as string }],
    });
  });

  it('admits jobs by IDs, never by sub', () => {
    const [configuration] = read('oidc/authentication.yaml') as unknown as [{ readonly jwt: readonly object[] }];
    expect(configuration.jwt).toHaveLength(1);
    const text = JSON.stringify(configuration);
    expect(text).toContain('claims.repository_id');
    expect(text).toContain('claims.repository_owner_id');
    expect(text).not.toContain('claims.sub');
  });
});
