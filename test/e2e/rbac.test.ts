import { readFileSync, rmSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import type { StepResult } from '../support/runner.ts';
import { expectGone } from './expect.ts';
import { jobStarter } from './jobs.ts';
import { grant, rbacFile, ROLE_NAMESPACE, roleKubeconfig, withdraw } from './role-account.ts';
import { cutShort, leftovers, sharedHost, volumesFor } from './support.ts';

const namespace = ROLE_NAMESPACE;
const host = sharedHost();
const directory = mkdtempSync(join(tmpdir(), 'knest-rbac-'));
const kubeconfig = join(directory, 'kubeconfig');

interface Role {
  readonly kind: string;
  readonly rules?: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
}

/** The requests of these credentials that were refused, as `GET /path`, without queries. */
function refused({ log }: StepResult): string[] {
  const lines = [...log.matchAll(/^::debug::(\S+ [^ ?]+)\S* 403 /gm)].map(([, request = '']) => request);
  return [...new Set(lines)].sort();
}

/** Reads that an account of one namespace may not do. The action works without them. */
const hostAsAWhole = [
  'GET /api/v1/namespaces/kube-system/configmaps/kubeadm-config',
  'GET /api/v1/nodes',
  'GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  'GET /apis/apps/v1/daemonsets',
  'GET /apis/apps/v1/deployments',
  'GET /apis/clusterctl.cluster.x-k8s.io/v1alpha3/providers',
  'GET /apis/crd.projectcalico.org/v1/felixconfigurations',
  'GET /apis/networking.k8s.io/v1/servicecidrs',
  'GET /apis/projectcalico.org/v3/felixconfigurations',
];
/** Those for virtual machines besides. */
const hostOfMachines = ['GET /api/v1/namespaces/kube-system/configmaps/cilium-config', ...hostAsAWhole];

/** The same for a persistent cluster: address pools, addresses in use, and StorageClasses. */
const hostOfDisks = [
  'GET /apis/crd.projectcalico.org/v1/ippools',
  'GET /apis/ipam.metal3.io/v1alpha1/ippools',
  'GET /apis/kubeovn.io/v1/subnets',
  'GET /apis/storage.k8s.io/v1/storageclasses',
];

/** Every command, as a ServiceAccount with the permissions of docs/rbac and no others. */
describe('an account with the Role and the admission policy of docs/rbac', () => {
  const common = { infrastructure: 'in-memory', namespace, 'host-kubeconfig-file': kubeconfig };
  const start = jobStarter(host, common, { env: { RUNNER_DEBUG: '1' } });
  const main = async (inputs: Readonly<Record<string, string>>): Promise<StepResult> => {
    const result = await start(inputs).main();
    expect(result.exitCode, result.log).toBe(0);
    return result;
  };
  /** Has an administrator install the components for such clusters of virtual machines, by creating one. */
  const prepare = async (inputs: Readonly<Record<string, string>>): Promise<void> => {
    const name = 'rbac-prepare';
    const admin = { 'host-kubeconfig-file': host.kubeconfig, infrastructure: 'virtink' };
    await main({ ...admin, ...inputs, name, 'wait-for': 'none' });
    await main({ ...admin, command: 'delete', name });
  };

  beforeAll(async () => {
    const text = await roleKubeconfig(host);
    // The policy must allow everything that the action itself writes.
    await grant(host, 'admission-policy.yaml');
    for (const file of ['install.yaml', 'host-reader.yaml']) await withdraw(host, file);
    writeFileSync(kubeconfig, text, { mode: 0o600 });
  });

  afterAll(async () => {
    rmSync(directory, { recursive: true });
    await withdraw(host, 'admission-policy.yaml');
  });

  it('installs missing components with the ClusterRole for that', async () => {
    await cutShort(host);
    await grant(host, 'install.yaml');
    try {
      const job = start({ name: 'rbac-install', 'wait-for': 'none' });
      const installed = await job.main();
      expect(installed.exitCode, installed.log).toBe(0);
      expect(installed.log).toMatch(/in-memory infrastructure provider v\S+ is (missing|incomplete)$/m);
      // Nodes are not needed to install anything, and their CIDRs are in the configuration of kubeadm.
      expect(refused(installed).filter((request) => !hostAsAWhole.includes(request))).toEqual([]);
      await job.post();
    } finally {
      await withdraw(host, 'install.yaml');
    }
    await expectGone(host, namespace, 'rbac-install');
  });

  it('creates, scales, enters and deletes a cluster, and is refused only reads of the host as a whole', async () => {
    const job = start({ name: 'rbac', 'wait-for': 'nodes' });
    const created = await job.main();
    expect(created.exitCode, created.log).toBe(0);
    expect(created.log).toContain('as system:serviceaccount:knest:knest-action ');
    expect(created.log).toContain('cannot list installed components; using them as they are');
    expect(refused(created)).toEqual(hostAsAWhole);
    const scaled = await main({ command: 'scale', name: 'rbac', replicas: ':2' });
    expect(refused(scaled)).toEqual([]);
    const entered = await main({ command: 'kubeconfig', name: 'rbac' });
    expect(refused(entered)).toEqual(['GET /api/v1/nodes']);
    const listed = await main({ command: 'list' });
    expect(refused(listed)).toEqual([]);
    expect(listed.outputs['clusters']).toContain('"rbac"');
    const post = await job.post();
    expect(post.log).toContain('nothing of rbac is left');
    const deleted = await main({ command: 'delete', name: 'rbac' });
    expect(refused(deleted)).toEqual([]);
    expect(await leftovers(host, namespace, 'rbac')).toEqual([]);
  });

  it('creates and deletes a cluster of virtual machines', async (context) => {
    if (!host.hasVirtink) context.skip('needs the release assets of Virtink');
    await prepare({});
    const job = start({ name: 'rbac-vm', infrastructure: 'virtink', 'worker-machine-count': '0' });
    const created = await job.main();
    expect(created.exitCode, created.log).toBe(0);
    expect(refused(created)).toEqual(hostOfMachines);
    const post = await job.post();
    expect(post.log).toContain('nothing of rbac-vm is left');
    expect(await leftovers(host, namespace, 'rbac-vm')).toEqual([]);
  });

  it('creates and deletes a cluster with a CNI and an add-on', async () => {
    const cni = join(directory, 'cni.yaml');
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'mine', namespace: 'kube-system' } };
    writeFileSync(cni, stringify(object));
    const job = start({ name: 'rbac-cni', cni, addons: cni, 'wait-for': 'nodes' });
    const created = await job.main();
    expect(created.exitCode, created.log).toBe(0);
    expect(created.log).toContain('resource set rbac-cni-addons: applied to the nested cluster');
    expect(created.log).toContain('▸ Wait for add-ons');
    expect(refused(created)).toEqual(hostAsAWhole);
    const kinds = 'clusterresourceset,clusterresourcesetbinding,secret';
    const made = await host.kubectl(['get', kinds, '-n', namespace, '-o', 'name']);
    expect(made).toContain('clusterresourceset.addons.cluster.x-k8s.io/rbac-cni-addons');
    const post = await job.post();
    expect(refused(post)).toEqual([]);
    expect(post.log).toContain('nothing of rbac-cni is left');
    expect(await leftovers(host, namespace, 'rbac-cni')).toEqual([]);
  });

  it('creates, adopts and deletes a persistent cluster', async (context) => {
    if (!host.hasVirtink) context.skip('needs the release assets of Virtink');
    const persistent = { persistent: 'true', 'persistent-host-cluster-cni': 'calico', 'worker-machine-count': '0' };
    await prepare({ ...persistent, 'persistent-machine-addresses': '10.85.211.9' });
    const name = 'rbac-disk';
    const inputs = { ...persistent, 'persistent-machine-addresses': '10.85.211.10', infrastructure: 'virtink', name };
    const created = await main(inputs);
    expect(created.log).toMatch(/ s {2}machine rbac-disk-cp-\w+: disk rootfs: filled$/m);
    expect(refused(created)).toEqual([...hostOfMachines, ...hostOfDisks].sort());
    const adopted = await main(inputs);
    expect(adopted.outputs['created']).toBe('false');
    expect(refused(adopted)).toEqual(refused(created));
    const deleted = await main({ command: 'delete', name });
    expect(refused(deleted)).toEqual([]);
    await expectGone(host, namespace, name);
    await expect.poll(() => volumesFor(host, namespace), { timeout: 300_000 }).toEqual([]);
  });

  it('sees installed components and free addresses with the ClusterRole for that', async () => {
    await grant(host, 'host-reader.yaml');
    try {
      const job = start({ name: 'rbac-reader', 'wait-for': 'none' });
      const created = await job.main();
      expect(created.exitCode, created.log).toBe(0);
      expect(refused(created)).toEqual([]);
      expect(created.log).toMatch(/▸ Preflight .* free, .*Cluster API v1\.\d+\.\d+/);
      await job.post();
    } finally {
      await withdraw(host, 'host-reader.yaml');
    }
  });

  it('fails with the missing permission when a rule is removed, and creates nothing', async () => {
    const text = readFileSync(rbacFile('namespace.yaml'), 'utf8');
    const role = parseAllDocuments(text)
      .map((document) => document.toJS() as Role)
      .find(({ kind }) => kind === 'Role');
    const rules = role?.rules?.filter(({ resources }) => !resources.includes('machinedeployments'));
    expect(rules).toHaveLength((role?.rules?.length ?? 0) - 1);
    await host.kubectl(['apply', '-f', '-'], stringify({ ...role, rules }));
    try {
      const created = await start({ name: 'rbac-less' }).main();
      expect(created.exitCode).toBe(1);
      expect(created.log).toMatch(/^✖ these credentials lack 4 permissions on the host {3}KNEST_PERMISSION$/m);
      expect(created.log).toContain('create machinedeployments.cluster.x-k8s.io in knest: to create the cluster');
      expect(created.log).toContain('what docs/rbac/namespace.yaml of knest-action grants');
      expect(await leftovers(host, namespace, 'rbac-less')).toEqual([]);
      const scaled = await start({ command: 'scale', name: 'rbac-less', replicas: ':2' }).main();
      expect(scaled.log).toContain('patch machinedeployments.cluster.x-k8s.io in knest: to change the number');
    } finally {
      await grant(host, 'namespace.yaml');
    }
  });
});
