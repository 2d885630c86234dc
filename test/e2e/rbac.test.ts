import { readFileSync, rmSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import type { StepResult } from '../support/runner.ts';
import { jobStarter } from './jobs.ts';
import { leftovers, sharedHost } from './support.ts';

const namespace = 'knest'; // as docs/rbac has it
const host = sharedHost();
const documents = join(import.meta.dirname, '../../docs/rbac');
const directory = mkdtempSync(join(tmpdir(), 'knest-rbac-'));
const kubeconfig = join(directory, 'kubeconfig');

interface Role {
  readonly kind: string;
  readonly rules?: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
}

/** What these credentials were refused, as `GET /path`, without queries. */
function refused({ log }: StepResult): string[] {
  const lines = [...log.matchAll(/^::debug::(\S+ [^ ?]+)\S* 403 /gm)].map(([, request = '']) => request);
  return [...new Set(lines)].sort();
}

/** What is not for an account that works in a namespace: the action does without. */
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

/** Every command, by a ServiceAccount that has what docs/rbac grants and nothing else. */
describe('an account with the Role of docs/rbac', () => {
  const common = { infrastructure: 'docker', namespace, 'host-kubeconfig-file': kubeconfig };
  const start = jobStarter(host, common, { env: { RUNNER_DEBUG: '1' } });
  const main = async (inputs: Readonly<Record<string, string>>): Promise<StepResult> => {
    const result = await start(inputs).main();
    expect(result.exitCode, result.log).toBe(0);
    return result;
  };
  const apply = (file: string): Promise<string> => host.kubectl(['apply', '-f', join(documents, file)]);
  const withdraw = (file: string): Promise<string> =>
    host.kubectl(['delete', '--ignore-not-found', '-f', join(documents, file)]);

  beforeAll(async () => {
    await apply('namespace.yaml');
    for (const file of ['install.yaml', 'host-reader.yaml']) await withdraw(file);
    const token = await host.kubectl(['create', 'token', 'knest-action', '-n', namespace, '--duration=2h']);
    const text = await host.kubectl(['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json']);
    const admin = JSON.parse(text) as { readonly users: readonly { readonly name: string }[] };
    const users = admin.users.map(({ name }) => ({ name, user: { token: token.trim() } }));
    writeFileSync(kubeconfig, JSON.stringify({ ...admin, users }), { mode: 0o600 });
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  it('and the ClusterRole for it installs what is missing', async () => {
    await host.kubectl(['delete', 'deployment', '-n', 'capd-system', 'capd-controller-manager', '--ignore-not-found']);
    await apply('install.yaml');
    try {
      const job = start({ name: 'rbac-install', 'wait-for': 'none' });
      const installed = await job.main();
      expect(installed.exitCode, installed.log).toBe(0);
      expect(installed.log).toMatch(/in-memory infrastructure provider v\S+ is (missing|incomplete)$/m);
      // The nodes are not needed to install anything, and their CIDRs are in kubeadm's configuration.
      expect(refused(installed).filter((request) => !hostAsAWhole.includes(request))).toEqual([]);
      await job.post();
    } finally {
      await withdraw('install.yaml');
    }
    expect(await leftovers(host, namespace, 'rbac-install')).toEqual([]);
  });

  it('creates, scales, enters and deletes a cluster, and is refused nothing but a look at the host', async () => {
    const job = start({ name: 'rbac', 'wait-for': 'nodes' });
    const created = await job.main();
    expect(created.exitCode, created.log).toBe(0);
    expect(created.log).toContain('as system:serviceaccount:knest:knest-action ');
    expect(created.log).toContain('not allowed to look at all of it: what is installed is used as it is');
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

  it.skipIf(!host.hasVirtink)('creates and deletes a cluster of virtual machines', async () => {
    // By an administrator, who installs what that takes.
    const installer = start({
      name: 'rbac-prepare',
      infrastructure: 'virtink',
      'host-kubeconfig-file': host.kubeconfig,
      'wait-for': 'none',
    });
    expect(await installer.main()).toMatchObject({ exitCode: 0 });
    await installer.post();
    const job = start({ name: 'rbac-vm', infrastructure: 'virtink', 'worker-machine-count': '0' });
    const created = await job.main();
    expect(created.exitCode, created.log).toBe(0);
    expect(refused(created)).toEqual(hostAsAWhole);
    const post = await job.post();
    expect(post.log).toContain('nothing of rbac-vm is left');
    expect(await leftovers(host, namespace, 'rbac-vm')).toEqual([]);
  });

  it('sees what is installed and which addresses are free with the ClusterRole for that', async () => {
    await apply('host-reader.yaml');
    try {
      const job = start({ name: 'rbac-reader', 'wait-for': 'none' });
      const created = await job.main();
      expect(created.exitCode, created.log).toBe(0);
      expect(refused(created)).toEqual([]);
      expect(created.log).toMatch(/▸ Preflight .* free, .*Cluster API v1\.\d+\.\d+/);
      await job.post();
    } finally {
      await withdraw('host-reader.yaml');
    }
  });

  it('is told what it lacks when a rule is taken away, and makes nothing', async () => {
    const text = readFileSync(join(documents, 'namespace.yaml'), 'utf8');
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
      expect(created.log).toContain('create machinedeployments.cluster.x-k8s.io in knest: to make the cluster');
      expect(created.log).toContain('what docs/rbac/namespace.yaml of knest-action grants');
      expect(await leftovers(host, namespace, 'rbac-less')).toEqual([]);
      const scaled = await start({ command: 'scale', name: 'rbac-less', replicas: ':2' }).main();
      expect(scaled.log).toContain('patch machinedeployments.cluster.x-k8s.io in knest: to change the number');
    } finally {
      await apply('namespace.yaml');
    }
  });
});
