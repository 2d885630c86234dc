import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { until } from '../host/process.ts';
import { customResource, UNKNOWN_VERSION } from './custom-resource.ts';
import { grant, rbacFile, ROLE_NAMESPACE, withdraw } from './role-account.ts';
import { install, sharedHost } from './support.ts';

const host = sharedHost();
const namespace = ROLE_NAMESPACE;
const account = `system:serviceaccount:${namespace}:knest-action`;
const group = 'infrastructure.cluster.x-k8s.io';

/** What the Role of docs/rbac lets the account create; other kinds are made by controllers and administrators. */
const granted = ['VirtinkCluster', 'VirtinkMachineTemplate', 'DevCluster', 'DevMachineTemplate'];

function object(kind: string, version: string, spec: object, name = 'policy'): object {
  return { apiVersion: `${group}/${version}`, kind, metadata: { name, namespace }, spec };
}

const ofTemplate = (spec: object): object => ({ template: { spec } });
const virtink = (kind: string, spec: object): object => object(kind, 'v1beta1', spec);
const kubevirt = (kind: string, spec: object): object => object(kind, 'v1alpha1', spec);
/** VMs with the fields that the schemas of the providers require. */
const virtinkSpec = { instance: { memory: {} } };
const kubevirtSpec = { template: { spec: { domain: { devices: {} } } } };
const virtinkVm = (vm: object): object =>
  virtink('VirtinkMachineTemplate', ofTemplate({ virtualMachineTemplate: { spec: virtinkSpec, ...vm } }));
const kubevirtVm = (vm: object): object =>
  kubevirt('KubevirtMachineTemplate', ofTemplate({ virtualMachineTemplate: { spec: kubevirtSpec, ...vm } }));
const virtinkMachine = (spec: object): object => virtinkVm({ spec: { ...virtinkSpec, ...spec } });
const kubevirtInstance = (spec: object, metadata = {}): object =>
  kubevirtVm({ spec: { template: { metadata, spec: { domain: { devices: {} }, ...spec } } } });
const disk = (source: object): object => ({ metadata: { name: 'rootfs' }, spec: { pvc: {}, ...source } });
const virtinkDisk = (source: object): object =>
  virtink(
    'VirtinkMachineTemplate',
    ofTemplate({ virtualMachineTemplate: { spec: virtinkSpec }, volumeTemplates: [{ dataVolume: disk(source) }] }),
  );

const elsewhere = { namespace: 'kube-system' };
const exec = { livenessProbe: { exec: { command: ['id'] } } };
const probe = { httpGet: { host: '169.254.169.254', port: 80 } };
const reference = { name: 'kubeconfig', ...elsewhere };

const NO_REFERENCE = 'infraClusterSecretRef is not allowed';
const OTHER_NAMESPACE = 'the metadata.namespace of a template in it has to be the namespace of the object';
const OTHER_DISK = 'a disk can only be made from one of the same namespace';
const NO_EXEC = 'exec probes are not allowed';
const NO_HOST = 'a probe with a host is not allowed';
const NO_DISK = 'hostDisk and serviceAccount volumes are not allowed';

const refused: readonly (readonly [string, object, string])[] = [
  ['Virtink VMs in another namespace', virtinkVm({ metadata: elsewhere }), OTHER_NAMESPACE],
  [
    'the VM of a VirtinkMachine in another namespace',
    virtink('VirtinkMachine', { virtualMachineTemplate: { metadata: elsewhere, spec: virtinkSpec } }),
    OTHER_NAMESPACE,
  ],
  [
    'a Virtink Service in another namespace',
    virtink('VirtinkCluster', { controlPlaneServiceTemplate: { metadata: elsewhere } }),
    OTHER_NAMESPACE,
  ],
  ['a kubeconfig in another namespace', virtink('VirtinkCluster', { infraClusterSecretRef: reference }), NO_REFERENCE],
  [
    'a kubeconfig in the same namespace',
    virtink('VirtinkCluster', { infraClusterSecretRef: { name: 'mine' } }),
    NO_REFERENCE,
  ],
  [
    'a kubeconfig in a template',
    virtink('VirtinkClusterTemplate', ofTemplate({ infraClusterSecretRef: reference })),
    NO_REFERENCE,
  ],
  ['a program in the container of the hypervisor', virtinkMachine({ ...exec }), NO_EXEC],
  ['the same as a readiness probe', virtinkMachine({ readinessProbe: exec.livenessProbe }), NO_EXEC],
  ['requests from the node', virtinkMachine({ livenessProbe: probe }), NO_HOST],
  ['a Virtink disk from another namespace', virtinkDisk({ source: { pvc: { name: 'x', ...elsewhere } } }), OTHER_DISK],
  ['the same by reference', virtinkDisk({ sourceRef: { kind: 'DataSource', name: 'x', ...elsewhere } }), OTHER_DISK],
  [
    'a network in another namespace',
    virtinkMachine({ networks: [{ name: 'n', multus: { networkName: 'kube-system/n' } }] }),
    'a network has to be of the same namespace',
  ],
  ['KubeVirt VMs in another namespace', kubevirtVm({ metadata: elsewhere }), OTHER_NAMESPACE],
  [
    'the VM of a KubevirtMachine in another namespace',
    kubevirt('KubevirtMachine', { virtualMachineTemplate: { metadata: elsewhere, spec: kubevirtSpec } }),
    OTHER_NAMESPACE,
  ],
  [
    'a KubeVirt Service in another namespace',
    kubevirt('KubevirtCluster', { controlPlaneServiceTemplate: { metadata: elsewhere } }),
    OTHER_NAMESPACE,
  ],
  ['a kubeconfig for KubeVirt', kubevirt('KubevirtCluster', { infraClusterSecretRef: reference }), NO_REFERENCE],
  [
    'a kubeconfig for a machine',
    kubevirt('KubevirtMachineTemplate', ofTemplate({ infraClusterSecretRef: reference })),
    NO_REFERENCE,
  ],
  ['requests from the node with KubeVirt', kubevirtInstance({ readinessProbe: probe }), NO_HOST],
  [
    'a file on the node',
    kubevirtInstance({ volumes: [{ name: 'v', hostDisk: { path: '/etc', type: 'Disk' } }] }),
    NO_DISK,
  ],
  [
    'the token of another service account',
    kubevirtInstance({ volumes: [{ name: 'v', serviceAccount: { serviceAccountName: 'x' } }] }),
    NO_DISK,
  ],
  [
    'a KubeVirt disk from another namespace',
    kubevirtVm({
      spec: { ...kubevirtSpec, dataVolumeTemplates: [disk({ source: { pvc: { name: 'x', ...elsewhere } } })] },
    }),
    OTHER_DISK,
  ],
  [
    'a sidecar',
    kubevirtInstance({}, { annotations: { 'hooks.kubevirt.io/hookSidecars': '[{"image": "x"}]' } }),
    'hook sidecars are not allowed',
  ],
  [
    'containers of Docker',
    object('DevMachineTemplate', 'v1beta2', ofTemplate({ backend: { docker: {} } })),
    'the docker backend is not allowed',
  ],
];

const allowed: readonly (readonly [string, object])[] = [
  ['a machine of Virtink', virtinkVm({})],
  ['a VM that names its own namespace', virtinkVm({ metadata: { namespace } })],
  ['a VM with a probe of its own port', virtinkMachine({ livenessProbe: { tcpSocket: { port: 22 } } })],
  ['a VM with a disk from its namespace', virtinkDisk({ source: { pvc: { name: 'x', namespace } } })],
  ['a VM with a network in its namespace', virtinkMachine({ networks: [{ name: 'n', multus: { networkName: 'n' } }] })],
  ['a cluster of Virtink', virtink('VirtinkCluster', {})],
  ['a machine of KubeVirt', kubevirtInstance({ volumes: [{ name: 'v', containerDisk: { image: 'x' } }] })],
  ['a VM whose template has no metadata', kubevirtVm({ metadata: null })],
  [
    'a cluster of KubeVirt',
    kubevirt('KubevirtCluster', { controlPlaneServiceTemplate: { spec: { type: 'ClusterIP' } } }),
  ],
  ['a machine in memory', object('DevMachineTemplate', 'v1beta2', ofTemplate({ backend: { inMemory: {} } }))],
];

/** Has the API server validate an object without keeping it, as the account of docs/rbac where that may create it. */
async function judge(text: object): Promise<string> {
  const { kind } = text as { readonly kind: string };
  const as = granted.includes(kind) ? [`--as=${account}`] : [];
  return host.kubectl(['create', '--dry-run=server', '-f', '-', ...as], JSON.stringify(text));
}

/** Of a kind that no controller acts on. */
const before = virtink('VirtinkClusterTemplate', ofTemplate({ infraClusterSecretRef: reference }));

describe('docs/rbac/admission-policy.yaml', () => {
  /** Resources whose provider is not on the host. No schema checks their fields. */
  let standIns: readonly string[] = [];

  beforeAll(async () => {
    await grant(host, 'namespace.yaml');
    await install(host, host.hasVirtink ? { infrastructure: 'virtink' } : {});
    const served = await host.kubectl(['api-resources', `--api-group=${group}`, '-o', 'name']);
    standIns = policyResources().filter((resource) => !served.split('\n').includes(`${resource}.${group}`));
    for (const resource of standIns) await host.kubectl(['create', '-f', '-'], customResource(group, resource));
    for (const resource of standIns) {
      await host.kubectl(['wait', '--for=condition=Established', `crd/${resource}.${group}`, '--timeout=60s']);
    }
    // An earlier run that was interrupted may have left the policy. The object must be older than it.
    await withdraw(host, 'admission-policy.yaml');
    const existing = JSON.stringify({ ...before, metadata: { name: 'before', namespace, finalizers: ['x.y/z'] } });
    const create = async (): Promise<string> => host.kubectl(['apply', '-f', '-'], existing);
    await until('the end of the policy', 180_000, async () =>
      create().then(
        () => true,
        () => false,
      ),
    );
    await grant(host, 'admission-policy.yaml');
    await until('the policy', 180_000, async () =>
      judge(before).then(
        () => false,
        (thrown: unknown) => String(thrown).includes(NO_REFERENCE),
      ),
    );
  });

  /** Changes the object that is older than the policy, in the version that the policy knows, whichever the host prefers. */
  const patch = (type: string, text: string, ...more: readonly string[]): Promise<string> =>
    host.kubectl([
      'patch',
      `virtinkclustertemplates.v1beta1.${group}`,
      '-n',
      namespace,
      'before',
      `--type=${type}`,
      '-p',
      text,
      ...more,
    ]);
  const withoutFinalizers = '[{"op":"remove","path":"/metadata/finalizers"}]';

  afterAll(async () => {
    await withdraw(host, 'admission-policy.yaml');
    await patch('json', withoutFinalizers);
    await host.kubectl(['delete', 'virtinkclustertemplate', '-n', namespace, 'before']);
    for (const resource of standIns) await host.kubectl(['delete', 'crd', `${resource}.${group}`]);
  });

  it('has no expression that the API server warns about', async () => {
    const text = await host.kubectl(['get', 'validatingadmissionpolicy', 'knest-action', '-o', 'json']);
    const { status = {} } = JSON.parse(text) as { readonly status?: { readonly typeChecking?: object } };
    expect(status.typeChecking ?? {}).toEqual({});
  });

  it.each(refused)('refuses what leads out of the namespace: %s', async (_what, text, message) => {
    await expect(judge(text)).rejects.toThrow(
      `ValidatingAdmissionPolicy 'knest-action' with binding 'knest-action' denied request: ${message}`,
    );
  });

  it.each(allowed)('allows what stays in the namespace: %s', async (_what, text) => {
    await expect(judge(text)).resolves.toContain('created (server dry run)');
  });

  it('refuses an API version whose fields it does not know', async (context) => {
    // Only a kind that this test made has one.
    if (!standIns.includes('kubevirtclusters')) return context.skip('needs a host without the provider for KubeVirt');
    const message = 'this policy does not know the fields of this API version';
    return expect(judge(object('KubevirtCluster', UNKNOWN_VERSION, {}))).rejects.toThrow(message);
  });

  it('lets an older object lose its finalizers, but not change its spec for the worse', async () => {
    const worse = JSON.stringify({ spec: { template: { spec: { infraClusterSecretRef: { name: 'other' } } } } });
    await expect(patch('merge', worse)).rejects.toThrow(NO_REFERENCE);
    await expect(patch('json', withoutFinalizers, '--dry-run=server')).resolves.toContain('patched');
  });

  it('applies only in the namespaces of its binding', async () => {
    const text = JSON.stringify({ ...before, metadata: { name: 'policy', namespace: 'default' } });
    expect(await host.kubectl(['create', '--dry-run=server', '-f', '-'], text)).toContain('created (server dry run)');
  });
});

/** The resources that the policy covers. */
function policyResources(): readonly string[] {
  const [policy] = parseAllDocuments(readFileSync(rbacFile('admission-policy.yaml'), 'utf8'));
  const { spec } = policy?.toJS() as {
    readonly spec: {
      readonly matchConstraints: { readonly resourceRules: readonly { readonly resources: readonly string[] }[] };
    };
  };
  return spec.matchConstraints.resourceRules.flatMap(({ resources }) => resources);
}
