import { readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { KubernetesObject } from '../../src/host/api/objects.ts';
import { down, up, type Host } from '../host/host.ts';
import { silent } from '../host/report.ts';
import { readVirtinkObjects, VIRTINK_BEHAVIORS } from '../kvm/virtink-behaviors.ts';
import { watchSecrets } from '../support/evidence.ts';
import type { Job, StepResult } from '../support/runner.ts';
import { jobInPod } from './pod-account.ts';
import { grant } from './role-account.ts';
import { hostName as sharedName, jobOn, kubernetesVersion, leftovers, sharedHost } from './support.ts';

const name = 'whole';
const namespace = 'knest';
// A separate host: on the shared one, other tests have installed components.
const hostName = `${sharedName}-bare`;
const { hasVirtink } = sharedHost();

/** Everything that a job does with a cluster, on a host without any components. */
describe.skipIf(!hasVirtink)('create on Virtink, on a bare host (needs the release assets of Virtink)', () => {
  let host: Host;
  let secrets: ReturnType<typeof watchSecrets>;
  let job: Job;
  let adopter: Job;
  let main: StepResult;
  const nested = (...args: string[]): Promise<string> =>
    host.run(['kubectl', '--kubeconfig', main.outputs['kubeconfig-path'] ?? '', ...args]);

  beforeAll(async () => {
    await down(hostName, silent);
    host = await up({ name: hostName, without: ['kubevirt', 'older-cluster-api', 'older-kubernetes'] }, silent);
    secrets = watchSecrets(host);
    const access = { 'api-access': 'node-port', 'api-host': '172.30.0.10' };
    job = jobOn(host, { name, ...access, 'wait-for': 'nodes', 'provider-variables': 'CLUSTER_TOPOLOGY=true' });
    main = await job.main();
    expect(main.exitCode, main.log).toBe(0);
  });
  afterAll(async () => {
    secrets.stop();
    for (const done of [job, adopter]) done.clean();
    await down(hostName, silent);
  });

  it('logs its progress, one line for each change', () => {
    expect(main.log).toContain('▸ Connect            https://172.30.0.10:6443, Kubernetes v');
    expect(main.log).toMatch(
      /▸ Preflight +permissions, CIDRs .* free, no cert-manager, no Cluster API, no Virtink provider/,
    );
    expect(main.log).toMatch(
      /^▸ CNI +none: nodes stay NotReady until you install one, and no health check recreates /m,
    );
    expect(main.log).toMatch(/ s {2}cert-manager\/cert-manager-webhook is available$/m);
    expect(main.log).toMatch(/ s {2}machine whole-cp-\w+: bootstrap data ready$/m);
    expect(main.log).toMatch(/ s {2}machine whole-cp-\w+: VM running on host$/m);
    expect(main.log).toMatch(/ s {2}machine whole-md-0-\w+-\w+: joined as node whole-md-0-\w+-\w+$/m);
    expect(main.log).toMatch(/^✔ whole is ready in \d+\.\d s$/m);
  });

  it('installs the controllers with the given provider variables', async () => {
    const args = 'jsonpath={.spec.template.spec.containers[0].args}';
    const of = ['get', 'deployment', 'capi-controller-manager', '-n', 'capi-system', '-o', args];
    expect(await host.kubectl(of)).toContain('ClusterTopology=true');
  });

  it('has what the real controllers of Virtink make of it, by the checks of e2e-kvm.yml', async () => {
    const objects = await readVirtinkObjects(name, (kind) =>
      host.kubectl(['get', kind, '-n', namespace, '--output=json']),
    );
    const found = VIRTINK_BEHAVIORS.map(({ title, differences }) => [title, differences(objects)]);
    expect(found).toEqual(VIRTINK_BEHAVIORS.map(({ title }) => [title, []]));
  });

  it('hands over a kubeconfig that works', async () => {
    expect(main.env['KUBECONFIG']).toBe(main.outputs['kubeconfig-path']);
    expect(main.outputs['kubeconfig']).toBe(readFileSync(main.outputs['kubeconfig-path'] ?? '', 'utf8'));
    const nodes = (await nested('get', 'nodes', '-o', 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}')).split(
      ' ',
    );
    expect(nodes).toEqual([`v${kubernetesVersion}`, `v${kubernetesVersion}`]);
    await nested('create', 'configmap', 'hello', '--from-literal=a=b');
    expect(await nested('get', 'configmap', 'hello', '-o', 'jsonpath={.data.a}')).toBe('b');
  });

  it('keeps the kubeconfig private and out of the log', () => {
    expect(statSync(main.outputs['kubeconfig-path'] ?? '').mode & 0o777).toBe(0o600);
    const { users } = parse(main.outputs['kubeconfig'] ?? '') as {
      users: { user: { 'client-key-data': string } }[];
    };
    const key = users[0]?.user['client-key-data'] ?? '';
    const pem = Buffer.from(key, 'base64').toString('utf8').split('\n')[1] ?? '';
    expect(main.masks).toContain(key);
    expect(main.masks).toContain(pem);
    const shown = main.shown + main.summary;
    expect(shown).not.toContain(key);
    expect(shown).not.toContain(pem);
  });

  it('puts owner, expiry and claim on the Cluster, and the repository on every object and machine', async () => {
    const selector = ['-l', `cluster.x-k8s.io/cluster-name=${name}`, '-n', namespace, '-o', 'json'];
    const ours =
      'cluster,kubeadmcontrolplane,machinedeployment,kubeadmconfigtemplate,machinehealthcheck,virtinkcluster,virtinkmachinetemplate';
    const { items } = JSON.parse(await host.kubectl(['get', ours, ...selector])) as { items: KubernetesObject[] };
    expect(items.length).toBe(8);
    const repository = {
      'knest-action/managed': 'true',
      'knest-action/server': 'github.com',
      'knest-action/repository-id': '1296269',
    };
    for (const { metadata } of items) {
      expect(metadata.labels).toMatchObject(repository);
    }
    const cluster = items.find(({ kind }) => kind === 'Cluster');
    expect(cluster?.metadata.labels?.['knest-action/run-id']).toBe('1658821493');
    expect(cluster?.metadata.annotations).toMatchObject({
      'knest-action/repository': 'octo-org/octo-repo',
      'knest-action/expires-at': main.outputs['expires-at'],
      'knest-action/claim': expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
    // A later owner changes these on the Cluster alone.
    const text = JSON.stringify(items.filter((object) => object !== cluster));
    expect(text).not.toMatch(/knest-action\/(?:run-id|claim|expires-at)/);
    const machines = JSON.parse(await host.kubectl(['get', 'machine', ...selector])) as { items: KubernetesObject[] };
    expect(machines.items).toHaveLength(2);
    for (const { metadata } of machines.items) expect(metadata.labels).toMatchObject(repository);
  });

  it('writes a summary and timings', () => {
    expect(main.summary).toContain('### whole is ready');
    expect(main.summary).toContain(`| Expires | ${main.outputs['expires-at'] ?? ''} |`);
    expect(main.summary).toMatch(/^ {4}Install \(\d+\.\d s\) :p\d, \d+, \d+$/m);
    expect(main.summary).toMatch(/^\| Installed on the host \| .*Virtink v/m);
    expect(Object.keys(JSON.parse(main.outputs['timings'] ?? '{}') as object)).toEqual(
      expect.arrayContaining(['Connect', 'Preflight', 'Install', 'Wait for nodes', 'Kubeconfig', 'total']),
    );
  });

  it('lets the next attempt of its job adopt the cluster, without installing anything', async () => {
    adopter = jobOn(host, { name }, { env: { GITHUB_RUN_ATTEMPT: '2' } });
    const result = await adopter.main();
    expect(result.exitCode, result.log).toBe(0);
    expect(result.outputs['created']).toBe('false');
    expect(result.log).toContain('▸ Install            nothing missing');
    // Creating takes minutes; a busy machine takes a while to adopt, too.
    expect(result.seconds).toBeLessThan(120);
    const post = await job.post();
    expect(post.exitCode, post.log).toBe(0);
    expect(post.log).toContain('knest/whole stays: this step did not claim it');
  });

  it('makes a cluster that a job in a pod reaches through a node port too', async () => {
    const inputs = { command: 'kubeconfig', name, 'api-access': 'node-port' };
    await grant(host, 'host-reader.yaml'); // it may look for the addresses of nodes
    const { job: inPod, user } = await jobInPod(host, inputs);
    const result = await inPod.main();
    expect(result.exitCode, result.log).toBe(0);
    expect(result.log).toContain(`as ${user} (the pod's service account)`);
    const { hostname, port } = new URL(result.outputs['server'] ?? '');
    // 10.86.0.1 is not a node: the action found and tried the address of the node itself.
    expect(hostname).toBe('172.30.0.10');
    expect(Number(port)).toBeGreaterThanOrEqual(30_000);
    const kubeconfig = result.outputs['kubeconfig-path'] ?? '';
    expect(await host.run(['kubectl', '--kubeconfig', kubeconfig, 'get', 'configmap', 'hello', '-o', 'name'])).toBe(
      'configmap/hello\n',
    );
  });

  it('refuses the cluster to another repository, which changes nothing', async () => {
    const before = await host.kubectl(['get', 'cluster', name, '-n', namespace, '-o', 'jsonpath={.metadata.labels}']);
    const env = { GITHUB_REPOSITORY: 'octo-org/other', GITHUB_REPOSITORY_ID: '42' };
    for (const inputs of [{ name }, { name, command: 'delete' }]) {
      const other = jobOn(host, inputs, { env });
      const result = await other.main();
      const post = await other.post();
      other.clean();
      expect(result.exitCode).toBe(1);
      expect(result.log).toContain('KNEST_OWNED_BY_OTHER');
      expect(result.log).toContain('octo-org/octo-repo');
      expect(post.exitCode).toBe(0);
    }
    expect(await host.kubectl(['get', 'cluster', name, '-n', namespace, '-o', 'jsonpath={.metadata.labels}'])).toBe(
      before,
    );
  });

  it('deletes the cluster in the post step, with its VMs and their pods', async () => {
    const post = await adopter.post();
    expect(post.exitCode, post.log).toBe(0);
    expect(post.log).toContain('nothing of whole is left');
    expect(post.log).not.toContain('::warning');
    expect(await leftovers(host, namespace, name)).toEqual([]);
  });
});
